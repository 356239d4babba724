import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { QuorateError, warningLogger, type Logger } from '../../../core/runtime/index.js';
import { projectRoot } from '../../house/imports.js';

/** What `log` writes, in order, as `method: text`. */
function written(log: (logger: Logger) => void): string[] {
  const lines: string[] = [];
  const { warn, error } = console;
  console.warn = (text: string) => void lines.push(`warn: ${text}`);
  console.error = (text: string) => void lines.push(`error: ${text}`);
  try {
    log(warningLogger);
  } finally {
    Object.assign(console, { warn, error });
  }
  return lines;
}

test('the default logger writes one line for a warning, with its fields in order and those of its parents last', () => {
  const lines = written((logger) =>
    logger
      .child({ application: 'shop' })
      .warn('A job failed', { queue: 'mails', attempt: 2, note: 'two words' }),
  );
  assert.equal(lines, [
    'warn: [quorate] warning: A job failed queue=mails attempt=2 note="two words" application=shop',
  ]);
});

test('the default logger drops what is less than a warning, and fields without a value', () => {
  const lines = written((logger) => {
    logger.debug('a');
    logger.info('b');
    logger.error('c', { gone: undefined, nothing: null });
  });
  assert.equal(lines, ['error: [quorate] error: c nothing=null']);
});

test('an error of Quorate or of the system stays on its line, one that user code threw brings its stack', () => {
  const system = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const [own, ofSystem, ofUser] = written((logger) => {
    logger.warn('x', { error: new QuorateError('NO_NODE', 'there is none', { cause: system }) });
    logger.warn('x', { error: system });
    logger.error('x', { error: new Error('a bug', { cause: new TypeError('deeper') }) });
  });
  assert.is(own, 'warn: [quorate] warning: x error="NO_NODE: there is none"');
  assert.is(ofSystem, 'warn: [quorate] warning: x error="ECONNREFUSED: refused"');
  const [first, second, ...rest] = ofUser!.split('\n');
  assert.is(first, 'error: [quorate] error: x error="Error: a bug"');
  assert.is(second, '    Error: a bug');
  assert.match(rest[0]!, /^ {4}at .*warning-logger\.test/);
  assert.ok(rest.includes('    caused by:') && rest.includes('    TypeError: deeper'), ofUser);
});

test('the default logger writes values that terminals would obey, huge ones and circular ones as harmless text', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const [line, huge, round, big] = written((logger) => {
    logger.warn('x', { name: 'a\u001b[2Jb\nc' });
    logger.warn('x', { text: 'y'.repeat(10_000) });
    logger.warn('x', { circle });
    logger.warn('x', { zxid: 5n, list: [1n, 'z'] });
  });
  assert.is(line, 'warn: [quorate] warning: x name="a\\u001b[2Jb\\nc"');
  assert.ok(huge!.length < 400);
  assert.is(round, 'warn: [quorate] warning: x circle="an object"');
  assert.is(big, 'warn: [quorate] warning: x zxid=5 list="[\\"1\\",\\"z\\"]"');
});

test('the default logger writes to standard error', () => {
  const url = pathToFileURL(join(projectRoot, 'dist/core/runtime/index.js')).href;
  const program = `import { warningLogger } from '${url}'; warningLogger.warn('a'); warningLogger.error('b');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.is(stdout, '');
  assert.is(stderr, '[quorate] warning: a\n[quorate] error: b\n');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limitedLogger, QuorateError, type LogFields, type Logger } from '../../../core/runtime/index.js';
import { VirtualClock } from '../../../core/testing/index.js';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function recorded(): { readonly lines: Line[]; readonly logger: Logger; readonly clock: VirtualClock } {
  const lines: Line[] = [];
  const withFields = (inherited: LogFields): Logger => {
    const at =
      (level: string): Logger['warn'] =>
      (message, fields = {}) =>
        void lines.push({ level, message, fields: { ...inherited, ...fields } });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => withFields({ ...inherited, ...fields }),
    };
  };
  const clock = new VirtualClock();
  return { lines, clock, logger: limitedLogger(withFields({}), clock) };
}

test('of one kind twenty warnings are written in ten seconds, and then how many were left out', async () => {
  const { lines, clock, logger } = recorded();
  for (let count = 0; count < 3_000; count++) logger.warn('Bad packet', { count });
  assert.is(lines.length, 20);
  await clock.advance(10_000);
  assert.equal(lines.slice(20), [
    { level: 'warn', message: 'Bad packet', fields: { leftOut: 2_980, inMs: 10_000 } },
  ]);
  logger.warn('Bad packet');
  assert.is(lines.length, 22);
  await clock.advance(20_000);
  assert.is(lines.length, 22);
});

test('kinds are limited apart from each other, and children together', () => {
  const { lines, logger } = recorded();
  for (let count = 0; count < 50; count++) {
    logger.child({ peer: count }).warn('a');
    logger.warn('b');
    logger.error('a');
    logger.info('a');
    logger.debug('a');
  }
  const countOf = (level: string, message: string): number =>
    lines.filter((line) => line.level === level && line.message === message).length;
  assert.equal([countOf('warn', 'a'), countOf('warn', 'b'), countOf('error', 'a')], [20, 20, 20]);
  assert.equal([countOf('info', 'a'), countOf('debug', 'a')], [50, 50]);
  assert.equal(lines[0]!.fields, { peer: 0 });
});

test('long texts, lists, objects and messages of errors are cut', () => {
  const { lines, logger } = recorded();
  const error = new QuorateError('NO_NODE', 'x'.repeat(5_000));
  const deep = { a: { b: { c: { d: { e: 1 } } } } };
  logger.warn('x', {
    text: 'y'.repeat(1_500),
    list: Array.from({ length: 150 }, () => 1n),
    error,
    deep,
    few: [1],
  });
  const { text, list, error: shown, deep: flat, few } = lines[0]!.fields;
  assert.is(text, `${'y'.repeat(1_000)}… (500 more characters)`);
  assert.equal([(list as unknown[]).length, (list as unknown[]).at(-1)], [101, '… 50 more']);
  assert.instance(shown, QuorateError);
  const { message, stack = '', code } = shown as QuorateError;
  assert.is(message, `${'x'.repeat(1_000)}… (4000 more characters)`);
  assert.is(code, 'NO_NODE');
  assert.ok(stack.length < 6_000 && stack.includes('limited-logger.test'), `${stack.length}`);
  assert.equal(flat, { a: { b: { c: 'an object' } } });
  assert.equal(few, [1]);
  const short = new Error('short');
  logger.warn('x', { error: short });
  assert.is(lines[1]!.fields['error'], short);
});

test.run();

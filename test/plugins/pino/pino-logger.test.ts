import { Writable } from 'node:stream';
import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Application } from '../../../framework/index.js';
import { pinoLogger } from '../../../plugins/pino/index.js';

test('an application logs through a pino logger, with its fields, level and serializers', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = pinoLogger(
    pino({ base: null, level: 'info', serializers: { error: pino.stdSerializers.err } }, destination),
  );
  logger.debug('not shown');
  logger.child({ part: 'mail' }).error('a letter was lost', { error: new Error('no stamp') });
  const application = await Application.start({ connect: 'embedded:', id: 'one', declare: [], logger });
  await application.stop();

  assert.is(lines[0]!['msg'], 'a letter was lost');
  assert.is(lines[0]!['part'], 'mail');
  assert.is((lines[0]!['error'] as { message: string }).message, 'no stamp');
  const own = lines.filter((line) => line['application'] === 'one' && line['msg'] === 'application');
  assert.equal(
    own.map((line) => line['state']),
    ['starting', 'running', 'draining', 'stopped'],
  );
});

test.run();

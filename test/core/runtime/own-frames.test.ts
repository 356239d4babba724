import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { removeOwnFramesOfCauses, stackWithoutOwnFrames } from '../../../core/runtime/own-frames.js';
import { QuorateError } from '../../../core/runtime/index.js';

/** The root of this package, as stacks name it. */
const here = /([^\s(]*)test\/core\/runtime\/own-frames\.test/.exec(new Error('here').stack!)![1]!;
const OWN = `    at async Queue.result (${here}core/recipes/queue/work-queue.js:210:20)`;
const USER = '    at Greeter.handle (file:///shop/dist/core/greeter.js:3:9)';
const NODE = '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)';

test('a stack loses the frames of this package, and keeps those of the user in a folder of the same name', () => {
  assert.is(
    stackWithoutOwnFrames(['Error: a bug', USER, OWN, NODE].join('\n')),
    ['Error: a bug', USER, NODE].join('\n'),
  );
});

test('a stack in which no frame of the user would be left stays whole', () => {
  const stack = ['TypeError: a bug of this package', OWN, NODE].join('\n');
  assert.is(stackWithoutOwnFrames(stack), stack);
});

test('a cause without a frame of the user keeps its message only, and one with such a frame keeps that', () => {
  const system = Object.assign(new Error('refused'), { stack: ['Error: refused', NODE].join('\n') });
  const user = new Error('a bug', { cause: system });
  user.stack = ['Error: a bug', USER, OWN].join('\n');
  const error = new QuorateError('FAILED', 'it failed', { cause: user });
  const before = error.stack;
  removeOwnFramesOfCauses(error);
  assert.is(user.stack, ['Error: a bug', USER].join('\n'));
  assert.is(system.stack, 'Error: refused');
  assert.is(error.stack, before);
});

test('a frozen cause and a circle of causes do no harm', () => {
  const frozen = Object.freeze(new Error('frozen'));
  const error = new QuorateError('FAILED', 'it failed', { cause: frozen });
  removeOwnFramesOfCauses(error);
  const circle = new Error('circle');
  circle.cause = new Error('inner', { cause: circle });
  removeOwnFramesOfCauses(circle);
  assert.is(frozen.message, 'frozen');
});

test.run();

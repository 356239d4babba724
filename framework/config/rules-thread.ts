/** The inside of the thread of a `RulesCheck`: compiles a schema and checks a value, one request after the other. */
import { parentPort } from 'node:worker_threads';
import { compileSchema, type Schema } from '../schema.js';
import type { RulesOutcome, RulesRequest } from './rules-check.js';

function outcomeOf({ schema, value }: RulesRequest): RulesOutcome {
  try {
    return { violations: compileSchema(schema as Schema)(value) };
  } catch (error) {
    return {
      problem: error instanceof Error ? error.message.split('\n')[0]! : 'the schema cannot be compiled',
    };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
const tell = (message: RulesOutcome | 'ready'): void => parentPort!.postMessage(message);

parentPort!.on('message', (request: RulesRequest) => tell(outcomeOf(request)));
tell('ready');

import { Worker } from 'node:worker_threads';
import { SystemClock } from '../../core/runtime/index.js';
import { compileSchema, type Schema, type Violations } from '../schema.js';
import { isQuickCheck } from './schema-cost.js';

export interface RulesRequest {
  readonly schema: unknown;
  readonly value: unknown;
}

/** What is wrong with the value, or with the schema itself. */
export type RulesOutcome = { readonly violations: Violations } | { readonly problem: string };

/** Time that all checks of one write may take together, once their thread runs (ms). */
const DEADLINE_MS = 4_000;
/** Time in which the thread has to run (ms). */
const START_MS = 15_000;
/** Real time, since real time is spent: also in a test on virtual time. */
const CLOCK = new SystemClock();
/** Memory of the thread (MiB). */
const MEMORY_MB = 128;

/**
 * Checks values by schemas that come from znodes, which anybody may have written: a pattern can take for ever, and a small schema
 * compile to a huge one. What may take long runs in a thread of its own with a deadline and bounded memory. Close it after use.
 */
export class RulesCheck implements AsyncDisposable {
  #thread: Worker | null = null;
  #leftMs = DEADLINE_MS;

  /** Never rejects. */
  async run(schema: unknown, value: unknown): Promise<RulesOutcome> {
    try {
      if (isQuickCheck(schema, value))
        return { violations: compileSchema(schema as Schema)(structuredClone(value)) };
      if (this.#leftMs <= 0) return tooSlow();
      this.#thread ??= await startedThread();
      const startedAt = CLOCK.now();
      const outcome = await answerOf(this.#thread, { schema, value }, this.#leftMs);
      this.#leftMs -= CLOCK.now() - startedAt;
      if (outcome !== null) return outcome;
      this.#leftMs = 0;
      await this[Symbol.asyncDispose]();
      return tooSlow();
    } catch (error) {
      return {
        problem: error instanceof Error ? error.message.split('\n')[0]! : 'the schema cannot be used',
      };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }
}

function tooSlow(): RulesOutcome {
  return { problem: `to check a value by them takes longer than ${DEADLINE_MS} ms` };
}

async function startedThread(): Promise<Worker> {
  const thread = new Worker(new URL('./rules-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  // It may run out of memory while it is being ended, when nobody waits for its answer; without a listener that would end this process.
  thread.on('error', () => undefined);
  try {
    if ((await nextMessage(thread, START_MS)) !== null) return thread;
    throw new Error('the thread that checks values did not start');
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

function answerOf(thread: Worker, request: RulesRequest, withinMs: number): Promise<RulesOutcome | null> {
  const answer = nextMessage(thread, withinMs);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
  thread.postMessage(request);
  return answer as Promise<RulesOutcome | null>;
}

/** Null when there is none in time. Rejects when the thread fails, such as for want of memory. */
function nextMessage(thread: Worker, withinMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      timer.cancel();
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (message: unknown): void => settle(() => resolve(message));
    const onError = (error: unknown): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(new Error('the thread that checks values has ended')));
    const timer = CLOCK.setTimer(withinMs, () => settle(() => resolve(null)), { hold: true });
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

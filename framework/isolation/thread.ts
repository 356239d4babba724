/** The inside of a thread in which jobs are done: one at a time, as `IsolatedHandler` sends them. */
import { parentPort, workerData } from 'node:worker_threads';
import type { IsolatedJob } from './isolated-handler.js';
import type { FromThread, ThreadData, ToThread } from './messages.js';

type Run = Extract<ToThread, { type: 'run' }>;

const { module, exportName } = workerData as ThreadData;
const loading = import(module) as Promise<Readonly<Record<string, unknown>>>;
// Whoever asks for the first job is told why it could not be loaded.
loading.catch(() => undefined);
let current = new AbortController();

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
const send = (message: FromThread): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'abort') current.abort(new Error(message.reason));
  else void run(message);
});

async function run({ id, data, attempt, enqueuedAt, fence }: Run): Promise<void> {
  current = new AbortController();
  const job: IsolatedJob = {
    id,
    data,
    attempt,
    enqueuedAt,
    fence,
    signal: current.signal,
    progress: (value) => send({ type: 'progress', value }),
  };
  try {
    const handle = (await loading)[exportName];
    if (typeof handle !== 'function')
      throw new TypeError(`${module} exports no function ${JSON.stringify(exportName)}`);
    const result: unknown = await (handle as (job: IsolatedJob) => unknown)(job);
    send({ type: 'done', result });
  } catch (error) {
    fail(error);
  }
}

/** An error that cannot be cloned is sent as its text. */
function fail(error: unknown): void {
  try {
    send({ type: 'failed', error });
  } catch {
    send({ type: 'failed', error: new Error(String(error)) });
  }
}

/** The inside of a thread in which jobs are done, one at a time: what piscina calls with each task of an `IsolatedHandler`. */
import { workerData } from 'piscina';
import type { IsolatedJob } from './isolated-handler.js';
import type { FromThread, Task, ThreadData } from './messages.js';

const { module, exportName } = workerData as ThreadData;

export async function perform({ port, ...facts }: Task): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
  const tell = (message: FromThread): void => port.postMessage(message);
  const cancelled = new AbortController();
  port.on('message', (reason: string) => cancelled.abort(new Error(reason)));
  tell({ type: 'begun' });
  const progress = (value: unknown): void => tell({ type: 'progress', value });
  const job: IsolatedJob = { ...facts, signal: cancelled.signal, progress };
  try {
    const handle = ((await import(module)) as Readonly<Record<string, unknown>>)[exportName];
    if (typeof handle !== 'function')
      throw new TypeError(`${module} exports no function ${JSON.stringify(exportName)}`);
    tell({ type: 'done', result: await (handle as (job: IsolatedJob) => unknown)(job) });
  } catch (error) {
    try {
      // Of a DOMException, such as the one for a result that cannot be cloned, nothing would arrive.
      tell({ type: 'failed', error: error instanceof DOMException ? new Error(String(error)) : error });
    } catch {
      tell({ type: 'failed', error: new Error(String(error)) });
    }
  }
}

import { parseJson } from '../../runtime/index.js';
import type { Client, WatchStreamEvent } from '../../client/index.js';
import { hasCode } from '../waiting/failure.js';
import type { QueueLayout } from './queue-layout.js';

/** Something that happened in a queue; `id` is the job's. */
export type QueueEvent =
  | { readonly type: 'added'; readonly id: string }
  /** A worker took it, or put it back. */
  | { readonly type: 'changed'; readonly id: string }
  /** It was put back: not to be begun before `dueAt`, milliseconds since 1970. */
  | { readonly type: 'delayed'; readonly id: string; readonly dueAt: number }
  | { readonly type: 'progress'; readonly id: string; readonly progress: unknown }
  /** It is done, given up, or cancelled; of those that are given up `dead` tells as well. */
  | { readonly type: 'over'; readonly id: string }
  | { readonly type: 'dead'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' }
  /** Events may have been missed before this one. */
  | { readonly type: 'missed' };

/** What the znodes of a queue tell of what happens in it. */
export async function* queueEvents(
  client: Client,
  layout: QueueLayout,
  signal: AbortSignal | undefined,
): AsyncGenerator<QueueEvent> {
  let isFirst = true;
  for await (const event of client.watch(layout.path, { recursive: true, signal })) {
    if (event.type === 'armed') {
      if (!isFirst) yield { type: 'missed' };
      isFirst = false;
      continue;
    }
    const told = await toldBy(client, layout, event);
    if (told !== null) yield told;
  }
}

async function toldBy(
  client: Client,
  layout: QueueLayout,
  { type, path }: Exclude<WatchStreamEvent, { type: 'armed' }>,
): Promise<QueueEvent | null> {
  const subject = layout.subjectOf(path);
  switch (subject?.type) {
    case 'job':
      if (type === 'created') return { type: 'added', id: subject.name };
      return { type: type === 'deleted' ? 'over' : 'changed', id: subject.name };
    case 'delay':
      return type === 'created' ? { type: 'delayed', id: subject.job, dueAt: subject.dueAt } : null;
    case 'dead':
      return type === 'created' ? { type: 'dead', id: subject.name } : null;
    case 'progress':
      return type === 'deleted' ? null : await progressOf(client, path, subject.name);
    case 'paused':
      return { type: type === 'deleted' ? 'resumed' : 'paused' };
    default:
      return null;
  }
}

/** Null if the job is over already. */
async function progressOf(client: Client, path: string, id: string): Promise<QueueEvent | null> {
  try {
    const { data } = await client.getData(path);
    const progress = parseJson(new TextDecoder().decode(data ?? new Uint8Array()));
    return { type: 'progress', id, progress };
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

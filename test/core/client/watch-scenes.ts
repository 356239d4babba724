import type { Client, WatchNotice, WatchStreamEvent } from '../../../core/client/index.js';
import type { OpCode } from '../../../core/protocol/index.js';
import type { ClientWorld } from './client-world.js';
import type { Incoming } from './scripted-server.js';

export type SetWatches = Extract<Incoming, { op: typeof OpCode.setWatches }>;
export type SetWatches2 = Extract<Incoming, { op: typeof OpCode.setWatches2 }>;
export type RemoveWatches = Extract<Incoming, { op: typeof OpCode.removeWatches }>;

/** A watch that writes down what it is called with. */
export function noting(notices: string[], name = ''): (notice: WatchNotice) => void {
  return (notice) => void notices.push(`${name}${notice.type} ${notice.path}`);
}

/** What the servers have been sent of one kind. */
export function sent<T extends Incoming>(world: ClientWorld, op: T['op']): T[] {
  return world.servers.flatMap(({ requests }) => requests.filter((request) => request.op === op)) as T[];
}

/** Reads a stream into a list of words. */
export function listen(stream: AsyncIterable<WatchStreamEvent>): {
  readonly seen: string[];
  readonly done: Promise<unknown>;
} {
  const seen: string[] = [];
  const done = (async () => {
    for await (const event of stream) seen.push(`${event.type} ${event.path}`);
    return null;
  })().catch((error: unknown) => error);
  return { seen, done };
}

/** A client that watches a znode, its children and one that is missing. */
export async function watching(world: ClientWorld, client: Client, notices: string[]): Promise<void> {
  world.world.put('/a');
  await world.get(client.getData('/a', { watch: noting(notices, 'data: ') }));
  await world.get(client.getChildren('/a', { watch: noting(notices, 'child: ') }));
  await world.get(client.exists('/b', { watch: noting(notices, 'exist: ') }));
}

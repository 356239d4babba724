import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Served, type ServeOptions } from '../../../core/server/index.js';
import { ZooKeeperListener, type ZooKeeperListenerOptions } from '../../../plugins/zookeeper/index.js';

export interface ServedOverTcp extends AsyncDisposable {
  readonly member: Served;
  /** Where ZooKeeper's clients are taken in. */
  readonly port: number;
}

/** A member on a directory of its own, that takes ZooKeeper's clients in over TCP. */
export async function serveOverTcp(
  options: Partial<ServeOptions> = {},
  listening: Partial<ZooKeeperListenerOptions> = {},
): Promise<ServedOverTcp> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-zookeeper-'));
  const member = await serve({
    data: join(directory, 'data'),
    port: 0,
    tickMs: 100,
    listeners: [new ZooKeeperListener({ port: 0, ...listening })],
    ...options,
  });
  return {
    member,
    port: Number(/:(\d+)$/.exec(member.otherAddresses[0]!)![1]),
    async [Symbol.asyncDispose]() {
      await member.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Waits for a condition. Rejects after ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

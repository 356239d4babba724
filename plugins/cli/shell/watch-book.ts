import type { Client, Watch, WatchNotice, WatchStreamEvent } from '../../../core/client/index.js';
import { describeError } from './shell-error.js';
import type { ShellOutput } from './shell-output.js';

export type WatchKind = 'data' | 'children' | 'persistent' | 'recursive';

interface Entry {
  readonly kind: WatchKind;
  readonly path: string;
  readonly client: Client;
  stop(): Promise<void>;
}

const EVENT_NAMES: Readonly<Record<string, string>> = {
  created: 'NodeCreated',
  deleted: 'NodeDeleted',
  dataChanged: 'NodeDataChanged',
  childrenChanged: 'NodeChildrenChanged',
};

/** The watches that the user of a shell has set: prints what they see, and knows them by kind and path to take them back. */
export class WatchBook {
  /** Whether events are shown; they happen all the same. */
  isPrinting = true;
  private readonly output: ShellOutput;
  private readonly entries = new Set<Entry>();

  constructor(output: ShellOutput) {
    this.output = output;
  }

  /**
   * A one-shot watch for a read. It is noted from now on, because its event can come before the reader goes on;
   * undefined if the same one is set already. `forget` takes back the note if the read failed.
   */
  oneShot(
    kind: 'data' | 'children',
    path: string,
    client: Client,
  ): { readonly watch: Watch | undefined; forget(): void } {
    if (this.find(kind, path, client) !== undefined) return { watch: undefined, forget: () => undefined };
    const watch: Watch = (notice) => {
      this.entries.delete(entry);
      this.printNotice(notice);
    };
    const entry: Entry = { kind, path, client, stop: () => client.unwatch(path, watch) };
    this.entries.add(entry);
    return { watch, forget: () => void this.entries.delete(entry) };
  }

  /** Sets a persistent watch; resolves when the server has it. */
  async addPersistent(path: string, client: Client, options: { readonly recursive: boolean }): Promise<void> {
    const kind = options.recursive ? 'recursive' : 'persistent';
    if (this.find(kind, path, client) !== undefined) return;
    const abort = new AbortController();
    const events = client.watch(path, { recursive: options.recursive, signal: abort.signal });
    const iterator = events[Symbol.asyncIterator]();
    const entry: Entry = { kind, path, client, stop: () => Promise.resolve(abort.abort()) };
    this.entries.add(entry);
    try {
      // The first thing that comes is that the watch is armed.
      await iterator.next();
    } catch (error) {
      this.entries.delete(entry);
      throw error;
    }
    void this.printAll(iterator, entry, abort.signal);
  }

  /** Takes back the watches of these kinds at exactly this path; false if there are none. */
  async remove(path: string, kinds: readonly WatchKind[], client: Client): Promise<boolean> {
    const found = [...this.entries].filter(
      (entry) => entry.path === path && kinds.includes(entry.kind) && entry.client === client,
    );
    for (const entry of found) {
      this.entries.delete(entry);
      await entry.stop();
    }
    return found.length > 0;
  }

  /** Shows a change of the connection's state as an event without a path. */
  printState(state: string): void {
    this.printEvent(`WatchedEvent state:${state} type:None path:null`);
  }

  private find(kind: WatchKind, path: string, client: Client): Entry | undefined {
    return [...this.entries].find(
      (entry) => entry.kind === kind && entry.path === path && entry.client === client,
    );
  }

  private async printAll(
    iterator: AsyncIterator<WatchStreamEvent>,
    entry: Entry,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        if (next.value.type !== 'armed') this.printNotice(next.value);
      }
    } catch (error) {
      if (!signal.aborted) this.output.printError(`Watch of ${entry.path} ended: ${describeError(error)}`);
    } finally {
      this.entries.delete(entry);
    }
  }

  private printNotice(notice: WatchNotice): void {
    if (notice.type === 'sessionLost') {
      this.printEvent(`WatchedEvent state:Expired type:None path:${notice.path}`);
      return;
    }
    const { type, path, zxid } = notice;
    this.printEvent(`WatchedEvent state:SyncConnected type:${EVENT_NAMES[type]} path:${path} zxid: ${zxid}`);
  }

  private printEvent(text: string): void {
    if (this.isPrinting) this.output.print(`\nWATCHER::\n\n${text}`);
  }
}

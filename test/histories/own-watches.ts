import {
  AddWatchMode,
  ErrorCode,
  OpCode,
  WatchEventType,
  type Request,
  type WatchEvent,
} from '../../core/protocol/index.js';

/** The watches that a client believes to have, so that it can take them up again on another connection. */
export class OwnWatches {
  readonly #data = new Set<string>();
  readonly #exist = new Set<string>();
  readonly #child = new Set<string>();
  readonly #persistent = new Set<string>();
  readonly #recursive = new Set<string>();

  /** A request was answered. */
  answered(request: Request, error: ErrorCode): void {
    const isOk = error === ErrorCode.ok;
    switch (request.op) {
      case OpCode.getData:
        if (request.body.watch && isOk) this.#data.add(request.body.path);
        return;
      case OpCode.exists:
        if (request.body.watch) (isOk ? this.#data : this.#exist).add(request.body.path);
        return;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        if (request.body.watch && isOk) this.#child.add(request.body.path);
        return;
      case OpCode.addWatch: {
        const isPersistent = request.body.mode === AddWatchMode.persistent;
        if (isOk) (isPersistent ? this.#persistent : this.#recursive).add(request.body.path);
        return;
      }
      case OpCode.removeWatches:
        if (isOk) for (const set of this.#all()) set.delete(request.body.path);
        return;
      default:
    }
  }

  notified({ type, path }: WatchEvent): void {
    if (type === WatchEventType.childrenChanged || type === WatchEventType.deleted) this.#child.delete(path);
    if (type === WatchEventType.childrenChanged) return;
    this.#data.delete(path);
    this.#exist.delete(path);
  }

  /** The request that takes them up again behind the newest state that the client was told of. */
  takeUp(lastZxid: bigint): Request {
    return {
      op: OpCode.setWatches2,
      body: {
        relativeZxid: lastZxid,
        dataWatches: [...this.#data],
        existWatches: [...this.#exist],
        childWatches: [...this.#child],
        persistentWatches: [...this.#persistent],
        persistentRecursiveWatches: [...this.#recursive],
      },
    };
  }

  forget(): void {
    for (const set of this.#all()) set.clear();
  }

  #all(): readonly Set<string>[] {
    return [this.#data, this.#exist, this.#child, this.#persistent, this.#recursive];
  }
}

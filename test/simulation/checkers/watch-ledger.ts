import {
  AddWatchMode,
  ErrorCode,
  OpCode,
  WatcherType,
  WatchEventType,
  type Request,
  type SetWatches2Request,
  type WatchEvent,
} from '../../../core/protocol/index.js';
import { check, hex } from './referee.js';
import { firstBehind, type ChangeType, type ModelChange, type TreeModel } from './tree-model.js';

type Kind = 'data' | 'child' | 'persistent' | 'recursive';

/** A watch that the server has for this connection. */
interface Registration {
  readonly kind: Kind;
  readonly path: string;
  /** It hears of changes behind this one. */
  readonly since: bigint;
  /** How many of the changes it has been told of, or did not have to be. */
  next: number;
}

/** A `setWatches` or `setWatches2` that is not answered yet. */
interface Rearming {
  readonly relativeZxid: bigint;
  /** Those that have not fired meanwhile. */
  readonly left: Map<string, RearmedWatch>;
  /** Those that have, to be checked when the answer shows up to which state that can have been. */
  readonly fired: { readonly watch: RearmedWatch; readonly type: ChangeType; readonly from: bigint }[];
}

interface RearmedWatch {
  readonly list: 'data' | 'exist' | 'child';
  readonly path: string;
}

const TYPES: Readonly<Record<WatchEventType, ChangeType>> = {
  [WatchEventType.created]: 'created',
  [WatchEventType.deleted]: 'deleted',
  [WatchEventType.dataChanged]: 'dataChanged',
  [WatchEventType.childrenChanged]: 'childrenChanged',
};

/** What watches of each list of a `setWatches` can have missed. */
const LIST_EVENTS: Readonly<Record<RearmedWatch['list'], readonly ChangeType[]>> = {
  data: ['deleted', 'dataChanged'],
  exist: ['created'],
  child: ['deleted', 'childrenChanged'],
};

/**
 * The watches of one connection. Whoever is told of a state must have been told of every watched change in it before;
 * a one-shot watch fires once, a persistent one at every change, in order; and nothing fires without a change.
 */
export class WatchLedger {
  readonly #model: TreeModel;
  readonly #registrations = new Map<string, Registration>();
  readonly #rearmings: Rearming[] = [];

  constructor(model: TreeModel) {
    this.#model = model;
  }

  get size(): number {
    return this.#registrations.size;
  }

  /** A request has left. */
  sent(request: Request): void {
    if (request.op !== OpCode.setWatches && request.op !== OpCode.setWatches2) return;
    const { relativeZxid, dataWatches, existWatches, childWatches } = request.body;
    const left: Rearming['left'] = new Map();
    for (const path of dataWatches) left.set(`data:${path}`, { list: 'data', path });
    for (const path of existWatches) left.set(`exist:${path}`, { list: 'exist', path });
    for (const path of childWatches) left.set(`child:${path}`, { list: 'child', path });
    this.#rearmings.push({ relativeZxid, left, fired: [] });
  }

  /** A reply has come. */
  answered(request: Request, error: ErrorCode, zxid: bigint): void {
    this.reached(zxid, true);
    switch (request.op) {
      case OpCode.exists:
        if (request.body.watch && (error === ErrorCode.ok || error === ErrorCode.noNode))
          this.#register('data', request.body.path, zxid);
        return;
      case OpCode.getData:
        if (request.body.watch && error === ErrorCode.ok) this.#register('data', request.body.path, zxid);
        return;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        if (request.body.watch && error === ErrorCode.ok) this.#register('child', request.body.path, zxid);
        return;
      case OpCode.addWatch:
        if (error === ErrorCode.ok)
          this.#register(
            request.body.mode === AddWatchMode.persistent ? 'persistent' : 'recursive',
            request.body.path,
            zxid,
          );
        return;
      case OpCode.removeWatches:
        if (error === ErrorCode.ok) this.#remove(request.body.path, request.body.type);
        return;
      case OpCode.setWatches:
        return this.#rearmed(zxid);
      case OpCode.setWatches2:
        this.#rearmed(zxid);
        return this.#rearmedStreams(request.body, zxid);
      default:
    }
  }

  /** A state of `zxid` is told of; without `isComplete` by an event, beside which others of the same transaction may come. */
  reached(zxid: bigint, isComplete: boolean): void {
    for (const registration of this.#registrations.values()) {
      const due = this.#due(registration);
      const isLate = due !== undefined && (isComplete ? due.zxid <= zxid : due.zxid < zxid);
      check(
        !isLate,
        () =>
          `told of ${hex(zxid)}, but not that ${due!.path} was ${due!.type} at ${hex(due!.zxid)}, which ${registration.kind} watch at ${registration.path} waits for`,
      );
    }
  }

  notified({ type: number, path }: WatchEvent, zxid: bigint): void {
    const type = TYPES[number];
    this.reached(zxid, false);
    const told = this.#hasHappened(path, type, zxid) ? this.#tell({ zxid, type, path }) : false;
    check(told, () => `told that ${path} was ${type} at ${hex(zxid)}, which no watch waits for`);
  }

  /** An event without a zxid: a watch that is being taken up again has missed something. `from`: the newest state that was told of. */
  notifiedOfMissed({ type: number, path }: WatchEvent, from: bigint): void {
    const type = TYPES[number];
    for (const { left, fired } of this.#rearmings) {
      for (const [key, watch] of left) {
        if (watch.path !== path || !LIST_EVENTS[watch.list].includes(type)) continue;
        left.delete(key);
        fired.push({ watch, type, from });
        return;
      }
    }
    check(
      false,
      () => `told without a zxid that ${path} was ${type}, which no watch that is taken up waits for`,
    );
  }

  #hasHappened(path: string, type: ChangeType, zxid: bigint): boolean {
    const changes = this.#model.changesOf(path);
    for (let index = firstBehind(changes, zxid - 1n); changes[index]?.zxid === zxid; index++) {
      if (changes[index]!.type === type) return true;
    }
    return false;
  }

  /** Consumes what waits for the change; false if nothing does. */
  #tell(change: ModelChange): boolean {
    let isWanted = false;
    for (const [key, registration] of this.#registrations) {
      if (!isRelevant(registration, change)) continue;
      const { kind } = registration;
      if (kind === 'data' || kind === 'child') {
        if (change.zxid <= registration.since) continue;
        this.#registrations.delete(key);
      } else {
        const due = this.#due(registration);
        if (due?.zxid !== change.zxid || due.type !== change.type || due.path !== change.path) continue;
        registration.next += 1;
      }
      isWanted = true;
    }
    return isWanted;
  }

  /** Each event of a missed change was true at some state from that before it to that of the answer. */
  #checkFired({ fired, relativeZxid }: Rearming, upTo: bigint): void {
    for (const { watch, type, from } of fired) {
      const changes = this.#model.changesOf(watch.path).map(({ zxid }) => zxid);
      const states = [from, ...changes.filter((zxid) => zxid > from && zxid <= upTo)];
      const isTrue = states.some((zxid) => this.#isMissed(watch, type, zxid, relativeZxid));
      check(isTrue, () => `told that ${watch.path} was ${type} since ${hex(relativeZxid)}, which it was not`);
    }
  }

  #isMissed({ list, path }: RearmedWatch, type: ChangeType, zxid: bigint, relativeZxid: bigint): boolean {
    const node = this.#model.at(path, zxid);
    if (list === 'exist') return type === 'created' && node !== null;
    if (type === 'deleted') return node === null;
    if (list === 'data') return type === 'dataChanged' && node !== null && node.mzxid > relativeZxid;
    return type === 'childrenChanged' && node !== null && node.pzxid > relativeZxid;
  }

  /** What has not fired waits on; but nothing can have happened to it. */
  #rearmed(zxid: bigint): void {
    const rearming = this.#rearmings.shift()!;
    const { left, relativeZxid } = rearming;
    this.#checkFired(rearming, zxid);
    for (const { list, path } of left.values()) {
      const node = this.#model.at(path, zxid);
      const isQuiet =
        list === 'exist'
          ? node === null
          : node !== null && (list === 'data' ? node.mzxid : node.pzxid) <= relativeZxid;
      check(
        isQuiet,
        () =>
          `a ${list} watch at ${path} was taken up at ${hex(zxid)} without telling of what changed since ${hex(relativeZxid)}`,
      );
      this.#register(list === 'child' ? 'child' : 'data', path, zxid);
    }
  }

  #rearmedStreams(request: SetWatches2Request, zxid: bigint): void {
    for (const path of request.persistentWatches) this.#register('persistent', path, zxid);
    for (const path of request.persistentRecursiveWatches) this.#register('recursive', path, zxid);
  }

  #register(kind: Kind, path: string, since: bigint): void {
    const key = `${kind}:${path}`;
    if (this.#registrations.has(key)) return;
    const registration: Registration = { kind, path, since, next: 0 };
    registration.next = firstBehind(this.#changesFor(registration), since);
    this.#registrations.set(key, registration);
  }

  #remove(path: string, type: number): void {
    const kinds: Readonly<Record<number, readonly Kind[]>> = {
      [WatcherType.children]: ['child'],
      [WatcherType.data]: ['data'],
      [WatcherType.persistent]: ['persistent'],
      [WatcherType.persistentRecursive]: ['recursive'],
      [WatcherType.any]: ['data', 'child', 'persistent', 'recursive'],
    };
    for (const kind of kinds[type] ?? []) this.#registrations.delete(`${kind}:${path}`);
  }

  /** The next change that the watch has to tell of. */
  #due(registration: Registration): ModelChange | undefined {
    const changes = this.#changesFor(registration);
    while (registration.next < changes.length && !isRelevant(registration, changes[registration.next]!))
      registration.next += 1;
    return changes[registration.next];
  }

  #changesFor({ kind, path }: Registration): readonly ModelChange[] {
    return kind === 'recursive' ? this.#model.changes : this.#model.changesOf(path);
  }
}

function isRelevant({ kind, path }: Registration, change: ModelChange): boolean {
  switch (kind) {
    case 'data':
      return change.path === path && change.type !== 'childrenChanged';
    case 'child':
      return change.path === path && (change.type === 'childrenChanged' || change.type === 'deleted');
    case 'persistent':
      return change.path === path;
    default:
      return change.type !== 'childrenChanged' && (change.path === path || isBelow(change.path, path));
  }
}

function isBelow(path: string, top: string): boolean {
  return top === '/' || path.startsWith(`${top}/`);
}

import {
  AddWatchMode,
  CreateMode,
  OpCode,
  OPEN_ACL,
  WatcherType,
  type ErrorCode,
  type MultiOp,
  type Reply,
  type Request,
  type WatchEvent,
} from '../../core/protocol/index.js';
import type { Dice } from './dice.js';
import { heavyBurst, MOST_IN_BURST, type Burst, type Writes } from './heavy-burst.js';
import { OwnWatches } from './own-watches.js';
import { bytesOf, CREDENTIALS, DIRECTORIES, REGISTERS, ROOT, SECRET_ACL, SECRETS } from './places.js';

/** Of the values that are longer than the others. */
const LONG_VALUE_BYTES = 4000;
/** Bursts whose replies fill an output, or whose watches take a member several turns. */
const HEAVY = 0.04;
/** Bursts whose sender does not read for a while. */
const UNREAD = 0.04;
/** Of each directory a client knows so many names. */
const MOST_NAMES = 30;

/** Requests and how often they come. */
const WEIGHTS = {
  getData: 18,
  secret: 5,
  exists: 8,
  list: 9,
  setData: 18,
  setSecret: 2,
  create: 16,
  remove: 15,
  several: 7,
  readSeveral: 3,
  sync: 4,
  auth: 1,
  setAcl: 1,
  addWatch: 1,
  removeWatches: 1,
  setWatches: 1,
  whoAmI: 1,
} as const;

/**
 * Makes up the requests of one client. It remembers what replies have told of versions, names and watches, so that conditions hold now
 * and then and watches are taken up again; what it remembers need not be right.
 */
export class Bursts {
  readonly #client: string;
  readonly #dice: Dice;
  readonly #versions = new Map<string, number>();
  readonly #names = new Map<string, string[]>();
  readonly #watches = new OwnWatches();
  readonly #writes: Writes = {
    value: (length) => this.#value(length),
    setData: (path) => this.#setData(path),
  };
  #values = 0;

  constructor(client: string, dice: Dice) {
    this.#client = client;
    this.#dice = dice;
  }

  next(lastZxid: bigint): Burst {
    if (this.#dice.chance(HEAVY)) return heavyBurst(this.#dice, this.#writes, lastZxid);
    const size = 1 + this.#dice.below(this.#dice.chance(0.3) ? MOST_IN_BURST : 20);
    const requests = Array.from({ length: size }, () => this.#any(lastZxid));
    return { requests, isUnread: this.#dice.chance(UNREAD) };
  }

  /** Takes up the watches of the connection before. */
  takeUp(lastZxid: bigint): Request {
    return this.#watches.takeUp(lastZxid);
  }

  /** A new session has no watches. */
  forgetWatches(): void {
    this.#watches.forget();
  }

  answered(request: Request, error: ErrorCode, reply: Reply | null): void {
    this.#watches.answered(request, error);
    if (reply === null || !('path' in request.body)) return;
    const { path } = request.body;
    if ('stat' in reply.body) this.#versions.set(path, reply.body.stat.version);
    if (reply.op === OpCode.getChildren || reply.op === OpCode.getChildren2)
      this.#names.set(path, [...reply.body.children].slice(-MOST_NAMES));
  }

  notified(event: WatchEvent): void {
    this.#watches.notified(event);
  }

  #any(lastZxid: bigint): Request {
    const dice = this.#dice;
    const watch = dice.chance(0.2);
    switch (dice.weighted(WEIGHTS)) {
      case 'getData':
        return { op: OpCode.getData, body: { path: this.#somePath(), watch } };
      case 'secret':
        return {
          op: dice.chance(0.5) ? OpCode.getData : OpCode.exists,
          body: { path: dice.of(SECRETS), watch: false },
        };
      case 'exists':
        return { op: OpCode.exists, body: { path: this.#somePath(), watch } };
      case 'list':
        return {
          op: dice.chance(0.5) ? OpCode.getChildren : OpCode.getChildren2,
          body: { path: dice.of(Object.values(DIRECTORIES)), watch },
        };
      case 'setData':
        return this.#setData(this.#somePath());
      case 'setSecret':
        return this.#setData(dice.of(SECRETS));
      case 'create':
        return this.#create();
      case 'remove':
        return this.#remove();
      case 'several':
        return { op: OpCode.multi, body: { ops: dice.listOf(5, () => this.#part()) } };
      case 'readSeveral':
        return { op: OpCode.multiRead, body: { ops: dice.listOf(5, () => this.#readPart()) } };
      case 'sync':
        return { op: OpCode.sync, body: { path: ROOT } };
      case 'auth':
        return { op: OpCode.auth, body: { type: 0, scheme: 'digest', auth: CREDENTIALS } };
      case 'setAcl':
        return {
          op: OpCode.setAcl,
          body: { path: dice.of(SECRETS), acl: dice.chance(0.5) ? SECRET_ACL : OPEN_ACL, version: -1 },
        };
      case 'addWatch':
        return { op: OpCode.addWatch, body: this.#stream() };
      case 'removeWatches':
        return {
          op: OpCode.removeWatches,
          body: { path: dice.of([...REGISTERS, DIRECTORIES.several]), type: WatcherType.any },
        };
      case 'setWatches':
        return this.takeUp(lastZxid);
      default:
        return { op: OpCode.whoAmI, body: {} };
    }
  }

  /** Any but a secret: watches on what not everybody may read go without. */
  #somePath(): string {
    if (this.#dice.chance(0.6)) return this.#dice.of(REGISTERS);
    return this.#knownPath(
      this.#dice.of([
        DIRECTORIES.sequence,
        DIRECTORIES.ephemerals,
        DIRECTORIES.expiring,
        DIRECTORIES.several,
      ]),
    );
  }

  #knownPath(directory: string): string {
    const names = this.#names.get(directory) ?? [];
    return names.length === 0 ? `${directory}/fixed` : `${directory}/${this.#dice.of(names)}`;
  }

  #setData(path: string): Extract<Request, { op: typeof OpCode.setData }> {
    const known = this.#versions.get(path);
    const version = known !== undefined && this.#dice.chance(0.4) ? known : -1;
    return { op: OpCode.setData, body: { path, data: this.#value(), version } };
  }

  #create(): Request {
    const { sequence, ephemerals, expiring, limited, containers } = DIRECTORIES;
    const dice = this.#dice;
    const body = { data: this.#value(), acl: OPEN_ACL, ttlMs: 0 };
    switch (dice.weighted({ sequence: 5, ephemeral: 5, expiring: 2, limited: 3, container: 1, below: 1 })) {
      case 'sequence':
        return {
          op: dice.chance(0.5) ? OpCode.create : OpCode.create2,
          body: { ...body, path: `${sequence}/n-`, flags: CreateMode.persistentSequential },
        };
      case 'ephemeral':
        return dice.chance(0.5)
          ? { op: OpCode.create, body: { ...body, path: `${ephemerals}/fixed`, flags: CreateMode.ephemeral } }
          : {
              op: OpCode.create2,
              body: { ...body, path: `${ephemerals}/e-`, flags: CreateMode.ephemeralSequential },
            };
      case 'expiring': {
        const ttlMs = 300 + dice.below(2500);
        const flags = dice.of([CreateMode.persistentWithTtl, CreateMode.persistentSequentialWithTtl]);
        return { op: OpCode.createTtl, body: { ...body, path: `${expiring}/t`, flags, ttlMs } };
      }
      case 'limited':
        return { op: OpCode.create, body: { ...body, path: `${limited}/${dice.below(20)}`, flags: 0 } };
      case 'container': {
        const path = `${containers}/${dice.below(3)}`;
        return dice.chance(0.4)
          ? { op: OpCode.createContainer, body: { ...body, path, flags: CreateMode.container } }
          : { op: OpCode.create, body: { ...body, path: `${path}/child`, flags: 0 } };
      }
      default:
        // Refused: ephemerals have no children.
        return {
          op: OpCode.create,
          body: { ...body, path: `${this.#knownPath(ephemerals)}/child`, flags: 0 },
        };
    }
  }

  #remove(): Request {
    const { sequence, ephemerals, expiring, limited, containers } = DIRECTORIES;
    const directory = this.#dice.of([sequence, sequence, ephemerals, expiring, limited, containers]);
    if (directory === containers)
      return {
        op: OpCode.delete,
        body: { path: `${containers}/${this.#dice.below(3)}/child`, version: -1 },
      };
    const path = directory === limited ? `${limited}/${this.#dice.below(20)}` : this.#knownPath(directory);
    return { op: OpCode.delete, body: { path, version: this.#dice.chance(0.1) ? 1 : -1 } };
  }

  #part(): Extract<Request, { readonly op: MultiOp }> {
    const dice = this.#dice;
    const path = `${DIRECTORIES.several}/${dice.below(4)}`;
    switch (dice.weighted({ create: 3, sequential: 3, set: 4, remove: 3, check: 2 })) {
      case 'create': {
        const flags = dice.of([CreateMode.persistent, CreateMode.persistent, CreateMode.ephemeral]);
        return { op: OpCode.create, body: { path, data: this.#value(), acl: OPEN_ACL, flags, ttlMs: 0 } };
      }
      case 'sequential': {
        const flags = dice.of([CreateMode.persistentSequential, CreateMode.ephemeralSequential]);
        const parent = dice.of([DIRECTORIES.several, DIRECTORIES.sequence, DIRECTORIES.limited]);
        return {
          op: OpCode.create,
          body: { path: `${parent}/m-`, data: this.#value(), acl: OPEN_ACL, flags, ttlMs: 0 },
        };
      }
      case 'set':
        return this.#setData(dice.of([path, ...REGISTERS]));
      case 'remove':
        return {
          op: OpCode.delete,
          body: { path: this.#knownPath(dice.of([DIRECTORIES.several, DIRECTORIES.limited])), version: -1 },
        };
      default:
        return { op: OpCode.check, body: { path: dice.of(REGISTERS), version: this.#versionOf() } };
    }
  }

  #versionOf(): number {
    return this.#dice.chance(0.8) ? -1 : (this.#versions.get(REGISTERS[0]!) ?? 0);
  }

  #readPart(): Extract<Request, { readonly op: typeof OpCode.getData | typeof OpCode.getChildren }> {
    if (this.#dice.chance(0.3))
      return {
        op: OpCode.getChildren,
        body: { path: this.#dice.of(Object.values(DIRECTORIES)), watch: false },
      };
    return {
      op: OpCode.getData,
      body: { path: this.#dice.of([...REGISTERS, ...SECRETS]), watch: false },
    };
  }

  #stream(): { path: string; mode: number } {
    return this.#dice.chance(0.5)
      ? { path: this.#dice.of(REGISTERS), mode: AddWatchMode.persistent }
      : { path: DIRECTORIES.several, mode: AddWatchMode.persistentRecursive };
  }

  /** No two writes of a run write the same. */
  #value(length = this.#dice.chance(0.02) ? LONG_VALUE_BYTES : 0): Uint8Array {
    const value = bytesOf(`${this.#client}-${this.#values++}`);
    if (length === 0) return value;
    const long = new Uint8Array(length);
    long.set(value);
    return long;
  }
}

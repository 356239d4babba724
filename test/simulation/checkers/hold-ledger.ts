import type { Client } from '../../../core/client/index.js';
import type { Hold } from '../../../core/recipes/index.js';
import { check, hex } from './referee.js';
import { parentOf, type TreeModel } from './tree-model.js';

/** What is looked at of a hold; a shard that is owned has it too. */
export type Held = Pick<Hold, 'path' | 'fence' | 'signal'>;

/** Something that a lock or a leadership guards, and that looks at the fence of whoever writes to it. */
class GuardedResource {
  highest = 0n;
  holder = '';
}

/**
 * Locks and leaderships, by their fences: every hold has one of its own, that of the znode that was first in line
 * when it was granted. Where no clock is wrong and nobody stands still, no two live holds of one thing ever meet.
 */
export class HoldLedger {
  readonly #model: TreeModel;
  readonly #isFair: boolean;
  readonly #fences = new Map<bigint, string>();
  readonly #resources = new Map<string, GuardedResource>();
  #granted = 0;
  #rejected = 0;

  /** `isFair`: clocks agree and no client is ever paused. */
  constructor(parts: { readonly model: TreeModel; readonly isFair: boolean }) {
    this.#model = parts.model;
    this.#isFair = parts.isFair;
  }

  get granted(): number {
    return this.#granted;
  }

  /** Writes that came too late and were refused. */
  get rejected(): number {
    return this.#rejected;
  }

  /** A client has been given something to hold. */
  acquired(holder: string, client: Client, { path, fence }: Held): void {
    this.#granted += 1;
    const known = this.#fences.get(fence);
    check(known === undefined, () => `${holder} and ${known} both hold ${path} with fence ${hex(fence)}`);
    this.#fences.set(fence, holder);
    const node = this.#model.at(path, client.lastZxid);
    if (node === null) return;
    check(
      node.czxid === fence,
      () => `${holder} holds ${path} with fence ${hex(fence)}, not ${hex(node.czxid)}`,
    );
    const line = this.#line(parentOf(path), client.lastZxid);
    check(
      line.length === 0 || line[0] === path,
      () => `${holder} holds ${path}, but ${line[0]} is before it in the line`,
    );
  }

  /** The holder writes to what it guards, while it believes to hold it. */
  used(holder: string, thing: string, { fence, signal }: Held): void {
    const resource = this.#resources.get(thing) ?? new GuardedResource();
    this.#resources.set(thing, resource);
    if (fence < resource.highest) {
      this.#rejected += 1;
      check(
        !this.#isFair || signal.aborted,
        () =>
          `${holder} uses ${thing} with fence ${hex(fence)} while ${resource.holder} has used it with ${hex(resource.highest)}, though all clocks are right`,
      );
      return;
    }
    resource.highest = fence;
    resource.holder = holder;
  }

  /** Those in line below a directory, by sequence; none if it is no line. */
  #line(directory: string, zxid: bigint): readonly string[] {
    const names = this.#model.at(directory, zxid)?.children ?? [];
    const sequenceOf = (name: string): number => Number(/\d{10}$/.exec(name)?.[0] ?? NaN);
    return names
      .filter((name) => !Number.isNaN(sequenceOf(name)))
      .sort((a, b) => sequenceOf(a) - sequenceOf(b))
      .map((name) => `${directory}/${name}`);
  }
}

import type { Constructor } from '../constructor.js';
import type { OwnedShard } from '../../core/recipes/index.js';
import { recordDeclaration } from '../declarations.js';

export interface ShardedOptions {
  /** Processes that declare the same name share its shards. */
  readonly name: string;
  /** How many, numbered from 0; from 1 to 4096, the same in every process. */
  readonly shards: number;
  /**
   * How long the shards of a process that left are kept for it, in milliseconds, the same in every process: until one comes
   * with the same `id`, or another in its place. 0 by default, when the others take them at once.
   */
  readonly rejoinMs?: number | undefined;
}

/** What a class under `@Sharded` has. */
export interface ShardedTask {
  run(owned: OwnedShard): unknown;
}

/**
 * Declares a class whose `run` is called once for each shard that this process owns. The shards are divided over the
 * processes that are there, and anew when one comes or goes; none is ever owned twice. When `signal` aborts, `run` is to
 * finish what is in hand and return: the next owner begins then, or at once if the session was lost, when `lost` aborts too.
 */
export function Sharded(options: ShardedOptions): (target: Constructor<ShardedTask>) => void {
  return (target) => recordDeclaration(target, { kind: 'sharded', options });
}

import type { Inspection, ListenerHost, MemberHealth } from '../../../../core/server/index.js';

/** What the answer to a four-letter word is made from. */
export interface WordContext {
  readonly host: ListenerHost;
  readonly health: MemberHealth;
  readonly inspection: Inspection;
  /** Where clients come in, -1 for nowhere. */
  readonly clientPort: number;
  readonly securePort: number;
}

/** ZooKeeper's word for what a member is. */
export function modeOf({ host, health }: WordContext): string {
  if (health.readOnly) return 'read-only';
  if (host.ensemble.length === 0) return 'standalone';
  if (health.state === 'leading') return 'leader';
  return health.state === 'observing' ? 'observer' : 'follower';
}

export function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** A mean as ZooKeeper writes it: `0.0`, `1.25`. */
export function decimal(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : `${rounded}`;
}

export function lines(...of: readonly string[]): string {
  return of.map((line) => `${line}\n`).join('');
}

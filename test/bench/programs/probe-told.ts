/** What `probe.ts` has seen: the gets in their order. */
export interface Gets {
  /** Wall clock, milliseconds. */
  readonly sentAt: readonly number[];
  readonly ms: readonly number[];
  /** Milliseconds for which the prober itself cannot have run while each was under way. */
  readonly ownMs: readonly number[];
}

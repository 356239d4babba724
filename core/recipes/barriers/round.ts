/** Who belongs to a round of a double barrier, by the names of their znodes; what the znode `ready` holds. */
export type Round = ReadonlySet<string>;

const VERSION = 1;

export function encodeRound(parties: readonly string[]): string {
  return JSON.stringify({ version: VERSION, parties });
}

/** Null for what another program has written (version 0.1.0, Curator), or a later version: it does not say whom it lets in. */
export function decodeRound(data: Uint8Array | null): Round | null {
  try {
    const value = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as unknown;
    const { version, parties } = value as { readonly version?: unknown; readonly parties?: unknown };
    return version === VERSION && Array.isArray(parties) ? new Set(parties.map(String)) : null;
  } catch {
    return null;
  }
}

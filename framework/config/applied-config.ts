/** Which state of a configuration one process uses, as its znode says. */
export interface AppliedConfig {
  /** The application's id. */
  readonly by: string;
  /** Of the znode; -1: there is none, or it is not known. */
  readonly version: number;
  /** `refused`: the znode holds `version`, and this process keeps what it had. */
  readonly state: 'applied' | 'refused';
  /** Milliseconds since 1970, by the servers' clock. */
  readonly since: number;
  /** Fields that the environment of that process sets, whatever the znode says. */
  readonly overridden: readonly string[];
}

export function encodeApplied({ version, state, overridden }: Omit<AppliedConfig, 'by' | 'since'>): string {
  return JSON.stringify({ version, state, overridden });
}

/** Null if it is something else. */
export function decodeApplied(data: Uint8Array | null, by: string, since: number): AppliedConfig | null {
  try {
    const value = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as Readonly<
      Record<string, unknown>
    >;
    const { version, state, overridden } = value;
    if (typeof version !== 'number' || (state !== 'applied' && state !== 'refused')) return null;
    return { by, since, version, state, overridden: Array.isArray(overridden) ? overridden.map(String) : [] };
  } catch {
    return null;
  }
}

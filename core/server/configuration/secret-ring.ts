/**
 * The secrets of an ensemble that are in use: the first proves, each of them verifies. Two of them at a time let members replace a
 * secret one after the other. Members that know each other by certificates have no common secret; there each one signs with its own,
 * and learns those of the others from them.
 */
export class SecretRing {
  #own: readonly Uint8Array[];
  readonly #learned = new Map<number, Uint8Array>();

  /** `secrets`: 32 bytes each, at least one. */
  constructor(secrets: readonly Uint8Array[]) {
    this.#own = secrets;
  }

  /** What signs and proves. */
  get first(): Uint8Array {
    return this.#own[0]!;
  }

  /** Secrets that this member was given, the first one first. */
  get own(): readonly Uint8Array[] {
    return this.#own;
  }

  /** What is accepted of others: also the secrets that were learned from them. */
  get accepted(): readonly Uint8Array[] {
    return [...this.#own, ...this.#learned.values()];
  }

  /** Replaces the secrets that this member was given. */
  replace(secrets: readonly Uint8Array[]): void {
    this.#own = secrets;
  }

  /** Secrets by the member that signs with them, for `learn` of another member. `id`: this member. */
  known(id: number): ReadonlyMap<number, Uint8Array> {
    return new Map([...this.#learned, [id, this.first]]);
  }

  /** Another member has told which secret it signs with, or which one a third member does. */
  learn(member: number, secret: Uint8Array): void {
    this.#learned.set(member, secret);
  }
}

/** A single secret as a ring. */
export function ringOf(secret: Uint8Array | SecretRing): SecretRing {
  return secret instanceof SecretRing ? secret : new SecretRing([secret]);
}

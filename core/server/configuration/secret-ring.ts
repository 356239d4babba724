/**
 * The secrets of an ensemble that are in use: the first proves, each of them verifies. Two of them at a time let members replace a
 * secret one after the other. Where members know each other by certificates, each one signs with a secret of its own, and learns
 * those of the others from them.
 */
export class SecretRing {
  #own: readonly Uint8Array[];
  /** Of this member alone. */
  #personal: Uint8Array | null = null;
  readonly #learned = new Map<number, Uint8Array>();

  /** `secrets`: common to the members, 32 bytes each; none where `signWith` gives one. */
  constructor(secrets: readonly Uint8Array[]) {
    this.#own = secrets;
  }

  /** What signs. */
  get first(): Uint8Array {
    return this.#personal ?? this.#own[0]!;
  }

  /** Common secrets, which prove who the members are; the first one first. */
  get own(): readonly Uint8Array[] {
    return this.#own;
  }

  /** What is accepted of others: also the secrets that were learned from them. */
  get accepted(): readonly Uint8Array[] {
    return [...(this.#personal === null ? [] : [this.#personal]), ...this.#own, ...this.#learned.values()];
  }

  /** From now on this secret of this member alone signs, and other members are told it. */
  signWith(personal: Uint8Array): void {
    this.#personal = personal;
  }

  /** Replaces the common secrets. */
  replace(secrets: readonly Uint8Array[]): void {
    this.#own = secrets;
  }

  /** Secrets by the member that signs with them, for `learn` of another member; no common one. `id`: this member. */
  known(id: number): ReadonlyMap<number, Uint8Array> {
    return this.#personal === null ? this.#learned : new Map([...this.#learned, [id, this.#personal]]);
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

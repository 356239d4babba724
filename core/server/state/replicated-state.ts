import type { EnsembleIdentity, StateMachine } from '../../data/index.js';

/**
 * The state that the committed transactions add up to. Whoever works on it asks for `machine` each time, and keeps it no longer than
 * a turn: a snapshot of the leader replaces it.
 */
export class ReplicatedState {
  #machine: StateMachine;
  readonly #configuration: Uint8Array | null;
  /** As the log says that was found at the start. */
  readonly #recovered: EnsembleIdentity | null;

  /**
   * `configuration`: what `/zookeeper/config` shows until somebody writes it; null for a member that stands alone. `identity`: what is
   * known about the ensemble before the log is applied.
   */
  constructor(
    machine: StateMachine,
    configuration: Uint8Array | null,
    identity: EnsembleIdentity | null = null,
  ) {
    this.#configuration = configuration;
    this.#recovered = identity;
    this.#machine = machine;
    machine.publish(configuration);
  }

  get machine(): StateMachine {
    return this.#machine;
  }

  /** The ensemble that the data of this member belong to; null if it has no id, or if nothing here shows that it was agreed on. */
  get identity(): EnsembleIdentity | null {
    return this.#machine.identity ?? this.#recovered;
  }

  /** A snapshot of the leader takes the place of everything. */
  replace(machine: StateMachine): void {
    this.#machine = machine;
    machine.publish(this.#configuration);
  }
}

import type { StateMachine } from '../../data/index.js';

/**
 * The state that the committed transactions add up to. Whoever works on it asks for `machine` each time, and keeps it no longer than
 * a turn: a snapshot of the leader replaces it.
 */
export class ReplicatedState {
  #machine: StateMachine;
  readonly #configuration: Uint8Array | null;

  /** `configuration`: what `/zookeeper/config` shows until somebody writes it; null for a member that stands alone. */
  constructor(machine: StateMachine, configuration: Uint8Array | null) {
    this.#configuration = configuration;
    this.#machine = machine;
    machine.publish(configuration);
  }

  get machine(): StateMachine {
    return this.#machine;
  }

  /** A snapshot of the leader takes the place of everything. */
  replace(machine: StateMachine): void {
    this.#machine = machine;
    machine.publish(this.#configuration);
  }
}

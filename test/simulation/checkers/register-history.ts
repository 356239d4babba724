import { check } from './referee.js';
import { checkLinearizability, type HistoryOperation, type SequentialModel } from './linearizability.js';

/** What clients do with a register. */
export type RegisterInput =
  | { readonly type: 'write'; readonly value: string }
  /** Writes if the register has this version. */
  | { readonly type: 'cas'; readonly version: number; readonly value: string }
  /** After a sync. */
  | { readonly type: 'read' }
  /** What was begun and certainly never took effect. */
  | { readonly type: 'nothing' };

export type RegisterOutput =
  | { readonly type: 'written'; readonly version: number }
  | { readonly type: 'refused' }
  | { readonly type: 'is'; readonly value: string; readonly version: number };

/** An operation under way. */
export interface OpenOperation {
  returned(output: RegisterOutput): void;
  neverHappened(): void;
}

type Operation = HistoryOperation<RegisterInput, RegisterOutput>;

interface RegisterState {
  readonly value: string;
  readonly version: number;
}

const REGISTER: SequentialModel<RegisterState, RegisterInput, RegisterOutput> = {
  initial: { value: '', version: 0 },
  step(state, input, output) {
    const isRefused = input.type === 'cas' && input.version !== state.version;
    if (input.type === 'nothing') return state;
    if (input.type === 'read') {
      const isSame = output === undefined || (output.type === 'is' && isSameState(output, state));
      return isSame ? state : null;
    }
    if (isRefused) return output?.type === 'refused' ? state : null;
    const version = state.version + 1;
    if (output !== undefined && (output.type !== 'written' || output.version !== version)) return null;
    return { value: input.value, version };
  },
  key: ({ value, version }) => `${version} ${value}`,
};

/** What clients did with registers, each of which must be as if there were one of it. */
export class RegisterHistory {
  readonly #operations = new Map<string, Operation[]>();
  #moment = 0;
  #unsure = 0;

  /** Histories that had too many possibilities to be looked through. */
  get unsure(): number {
    return this.#unsure;
  }

  get length(): number {
    return [...this.#operations.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** An operation begins. Its outcome is unknown until it is told. */
  begin(register: string, input: RegisterInput): OpenOperation {
    const operations = this.#operations.get(register) ?? [];
    this.#operations.set(register, operations);
    const operation = { input, output: undefined, calledAt: (this.#moment += 1), returnedAt: Infinity };
    const index = operations.push(operation) - 1;
    return {
      returned: (output) => {
        operations[index] = { ...operation, output, returnedAt: (this.#moment += 1) };
      },
      neverHappened: () => {
        operations[index] = { ...operation, input: { type: 'nothing' } };
      },
    };
  }

  conclude(): void {
    for (const [register, operations] of this.#operations) {
      const verdict = checkLinearizability(operations, REGISTER);
      if (verdict === 'too many possibilities') this.#unsure += 1;
      check(
        verdict !== 'not linearizable',
        () => `what was done with ${register} has no order:\n${operations.map(describe).join('\n')}`,
      );
    }
  }
}

function isSameState(a: RegisterState, b: RegisterState): boolean {
  return a.value === b.value && a.version === b.version;
}

function describe({ input, output, calledAt, returnedAt }: Operation): string {
  return `  ${calledAt}-${returnedAt} ${JSON.stringify(input)} ${JSON.stringify(output) ?? '?'}`;
}

import { check } from './referee.js';

/** What a znode of the model holds; null if it is not there. */
export type ZnodeState = { readonly data: string; readonly version: number } | null;

export type SubtreeOperation =
  | { readonly type: 'create'; readonly data: string }
  | { readonly type: 'set'; readonly data: string; readonly version?: number }
  | { readonly type: 'delete' }
  | { readonly type: 'get' };

/** What the client got: null stands for a znode that is not there, or for a refusal of a write. */
export type SubtreeResult =
  | { readonly type: 'done'; readonly state: ZnodeState }
  | { readonly type: 'refused' }
  /** The client was not told, or was told that it did not happen. */
  | { readonly type: 'unsure' };

/**
 * A znode that one client alone writes, as a reader of the documentation would model it: a value and a number. It knows neither
 * zxids nor transactions, so that it agrees with nothing that the members got wrong together. Once an outcome is unknown, only
 * the set of its possible values is known, and the client leaves the znode alone.
 */
export class ModelZnode {
  readonly path: string;
  /** Behind each write that was sent, from the last acknowledged one on. */
  #states: ZnodeState[] = [null];
  #isSure = true;
  #unanswered = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether every outcome is known so far. */
  get isSure(): boolean {
    return this.#isSure;
  }

  get state(): ZnodeState {
    return this.#states.at(-1)!;
  }

  /** An operation leaves the client; the function that it returns is to be called with its result. */
  sent(operation: SubtreeOperation): (result: SubtreeResult) => void {
    const before = this.state;
    const after = apply(before, operation);
    const isRefused = after === undefined;
    const expected = isRefused ? before : after;
    if (operation.type !== 'get' && !isRefused) this.#states.push(expected);
    this.#unanswered += 1;
    return (result) => {
      this.#unanswered -= 1;
      if (!this.#isSure) return;
      if (result.type === 'unsure') {
        this.#isSure = !mayTakeEffectLate(operation);
        return;
      }
      const what = (): string => `${operation.type} ${this.path} of ${describe(before)}`;
      check((result.type === 'refused') === isRefused, () => `${what()} is ${result.type}`);
      if (result.type === 'refused') return;
      check(isSame(result.state, expected), () => `${what()} gives ${describe(result.state)}`);
      if (operation.type !== 'get') this.#acknowledged(expected);
    };
  }

  /** At the end of a run the znode holds one of the values that it can hold. A client that died was not told of its last writes. */
  checkFinal(found: ZnodeState): void {
    const isKnown = this.#isSure && this.#unanswered === 0;
    const fits = isKnown
      ? isSame(found, this.state)
      : this.#states.some((state) => state?.data === found?.data);
    check(
      fits,
      () =>
        `${this.path} holds ${describe(found)} at the end, not ${this.#states.map(describe).join(' or ')}`,
    );
  }

  #acknowledged(state: ZnodeState): void {
    this.#states.splice(0, this.#states.indexOf(state));
  }
}

/** The state behind the operation; undefined if it is refused. */
function apply(state: ZnodeState, operation: SubtreeOperation): ZnodeState | undefined {
  switch (operation.type) {
    case 'create':
      return state === null ? { data: operation.data, version: 0 } : undefined;
    case 'set': {
      const isCurrent = state !== null && (operation.version ?? state.version) === state.version;
      return isCurrent ? { data: operation.data, version: state.version + 1 } : undefined;
    }
    case 'delete':
      return state === null ? undefined : null;
    default:
      return state;
  }
}

/**
 * A client that gives its session up does not know that it has ended: a write of which it was not told may be carried out behind those of its
 * next session, where it finds another state than the one it would have been refused in.
 */
function mayTakeEffectLate(operation: SubtreeOperation): boolean {
  if (operation.type === 'set') return operation.version === undefined;
  return operation.type !== 'get';
}

function isSame(one: ZnodeState, other: ZnodeState): boolean {
  return one?.data === other?.data && one?.version === other?.version;
}

function describe(state: ZnodeState): string {
  return state === null ? 'nothing' : `"${state.data}" at version ${state.version}`;
}

/** An operation of a history, from its call to its return. */
export interface HistoryOperation<Input, Output> {
  readonly input: Input;
  /** Undefined if nobody knows: it may have taken effect at any time since its call, or never. */
  readonly output: Output | undefined;
  /** Moments, all different. */
  readonly calledAt: number;
  /** Infinity without an output. */
  readonly returnedAt: number;
}

/** What the object does when nobody else is there. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /** The state behind the operation; null if it cannot have this output in this state. Without an output: if it takes effect. */
  step(state: State, input: Input, output: Output | undefined): State | null;
  /** Equal for equal states. */
  key(state: State): string;
}

export type Verdict = 'linearizable' | 'not linearizable' | 'too many possibilities';

/** A call or a return, in a list from which operations are taken out and put back. */
interface Event {
  readonly operation: number;
  /** The return of a call; null for a return. */
  returned: Event | null;
  previous: Event | null;
  next: Event | null;
}

const MOST_STEPS = 200_000;

/**
 * Whether the operations can be put into one order in which each takes effect at one moment between its call and its
 * return: Wing and Gong's search, with Lowe's memory of what was tried ("Testing for Linearizability", 2017).
 * To be given one object's operations at a time.
 */
export function checkLinearizability<State, Input, Output>(
  operations: readonly HistoryOperation<Input, Output>[],
  model: SequentialModel<State, Input, Output>,
): Verdict {
  const head = eventsOf(operations);
  const tried = new Set<string>();
  const taken: { readonly call: Event; readonly state: State }[] = [];
  let done = 0n;
  let state = model.initial;
  let event = head.next;
  for (let steps = 0; event !== null; steps++) {
    if (steps > MOST_STEPS) return 'too many possibilities';
    if (event.returned !== null) {
      const { input, output } = operations[event.operation]!;
      const next = model.step(state, input, output);
      const bit = 1n << BigInt(event.operation);
      const key = next === null ? '' : `${(done | bit).toString(36)} ${model.key(next)}`;
      if (next !== null && !tried.has(key)) {
        tried.add(key);
        taken.push({ call: event, state });
        state = next;
        done |= bit;
        takeOut(event);
        event = head.next;
      } else {
        event = event.next;
      }
    } else if (operations[event.operation]!.returnedAt === Infinity) {
      // Only operations of unknown outcome are left: they need not have happened.
      return 'linearizable';
    } else {
      const last = taken.pop();
      if (last === undefined) return 'not linearizable';
      state = last.state;
      done &= ~(1n << BigInt(last.call.operation));
      putBack(last.call);
      event = last.call.next;
    }
  }
  return 'linearizable';
}

function eventsOf<Input, Output>(operations: readonly HistoryOperation<Input, Output>[]): Event {
  const moments = operations.flatMap(({ calledAt, returnedAt }, operation) => {
    const returned: Event = { operation, returned: null, previous: null, next: null };
    const call: Event = { operation, returned, previous: null, next: null };
    return [
      { at: calledAt, event: call },
      { at: returnedAt, event: returned },
    ];
  });
  moments.sort((a, b) => (a.at === b.at ? 0 : a.at - b.at));
  const head: Event = { operation: -1, returned: null, previous: null, next: null };
  let last = head;
  for (const { event } of moments) {
    last.next = event;
    event.previous = last;
    last = event;
  }
  return head;
}

function takeOut(call: Event): void {
  unlink(call);
  unlink(call.returned!);
}

/** Undoes `takeOut`; the last one first. */
function putBack(call: Event): void {
  relink(call.returned!);
  relink(call);
}

function unlink({ previous, next }: Event): void {
  previous!.next = next;
  if (next !== null) next.previous = previous;
}

function relink(event: Event): void {
  event.previous!.next = event;
  if (event.next !== null) event.next.previous = event;
}

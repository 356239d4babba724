import { OpCode, OPEN_ACL } from '../../../core/protocol/index.js';
import { Choice } from './choice.js';
import {
  anyAuth,
  anyRequest,
  anyUnknown,
  newQuota,
  otherSoftLimits,
  watchesAgain,
} from './random-requests.js';
import { anyHardLimits, plainPath } from './random-values.js';
import { ROOT, type Sent, type Step } from './step.js';

const SLOTS = 4;
const TIMEOUTS = [5_000, 20_000, 30_000, 100_000];

/** The steps that a seed stands for. They do not depend on any answer. */
export function sequenceOf(seed: number, length: number): Step[] {
  const choice = new Choice(seed);
  const steps: Step[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    steps.push({ move: 'open', slot, timeoutMs: TIMEOUTS[slot]!, readOnly: slot === 1 ? null : slot === 2 });
  }
  steps.push({ move: 'send', slot: 0, requests: [createRoot()] });
  const hardLimits = anyHardLimits(choice);
  if (choice.theme === 'quotas') {
    steps.push({ move: 'send', slot: 0, requests: newQuota(choice, hardLimits) });
  }
  while (steps.length < length) steps.push(...anyMove(choice, hardLimits));
  return steps;
}

function createRoot(): Sent {
  return { op: OpCode.create2, body: { path: ROOT, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 } };
}

/** What can be sent in one go: ZooKeeper goes by the old ACL until a new one is applied, so that would be a matter of time. */
function segments(requests: readonly Sent[]): Sent[][] {
  const cut: Sent[][] = [[]];
  for (const sent of requests) {
    cut.at(-1)!.push(sent);
    if (sent.op === OpCode.setAcl) cut.push([]);
  }
  return cut.filter((segment) => segment.length > 0);
}

function anyMove(choice: Choice, hardLimits: string): Step[] {
  const slot = choice.below(SLOTS);
  const kind = choice.weighted({
    one: 72,
    several: choice.theme === 'quotas' ? 0 : 18,
    quota: choice.theme === 'quotas' ? 5 : 0,
    root: 2,
    auth: 2,
    unknown: 1,
    sync: 2,
    close: 2,
    away: 3,
    steal: 1,
    wrong: 1,
    ahead: 1,
  });
  const resume: Step = { move: 'resume', slot, password: 'right', isAhead: false };
  switch (kind) {
    case 'one':
      return [{ move: 'send', slot, requests: [anyRequest(choice, slot)] }];
    case 'several':
      return segments([anyRequest(choice, slot), ...choice.listOf(4, () => anyRequest(choice, slot))]).map(
        (requests): Step => ({ move: 'send', slot, requests }),
      );
    case 'quota':
      return [{ move: 'send', slot, requests: [otherSoftLimits(choice, hardLimits)] }];
    case 'root':
      return [{ move: 'send', slot, requests: [createRoot()] }];
    // These two are answered at once by ZooKeeper, whatever is under way before them.
    case 'auth':
      return [{ move: 'send', slot, requests: [anyAuth(choice)] }];
    // Together with others it is sent by `batchesOf`.
    case 'sync':
      return [{ move: 'send', slot, requests: [{ op: OpCode.sync, body: { path: plainPath(choice) } }] }];
    case 'unknown':
      return [{ move: 'send', slot, requests: [anyUnknown(choice)] }, resume];
    case 'close':
      return [
        { move: 'send', slot, requests: [{ op: OpCode.closeSession, body: {} }] },
        ...(choice.chance(0.3) ? [resume] : []),
        { move: 'open', slot, timeoutMs: choice.of(TIMEOUTS), readOnly: choice.of([true, false, null]) },
      ];
    case 'away':
      return [
        { move: 'drop', slot },
        ...choice.listOf(3, (): Step => {
          const other = (slot + 1 + choice.below(SLOTS - 1)) % SLOTS;
          return { move: 'send', slot: other, requests: [anyRequest(choice, other)] };
        }),
        resume,
        ...(choice.chance(0.7) && (slot === 0 || !choice.hasOneWatcher)
          ? [{ move: 'send', slot, requests: [watchesAgain(choice)] } as const]
          : []),
      ];
    case 'steal':
      return [resume];
    case 'wrong':
      return [{ ...resume, password: 'wrong' }, resume];
    default:
      return [{ ...resume, isAhead: true }, resume];
  }
}

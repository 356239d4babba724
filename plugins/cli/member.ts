import { Command } from 'commander';
import { QuorateError } from '../../core/runtime/index.js';
import { guarded } from './backup.js';
import { memberStates, type MemberState } from './member/member-states.js';
import { positiveInteger, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

/** `quorate member`: what can be asked and done about single members of an ensemble. */
export function memberCommand(): Command {
  const canStop = new Command('can-stop')
    .description(
      'whether the ensemble keeps a quorum that counts without a member: exit code 0 if it may be stopped',
    )
    .argument('<id>', 'number of the member')
    .action((id: string, flags: EnsembleFlags) => guarded('member can-stop', () => answer(id, flags)));
  return new Command('member').description('members of an ensemble').addCommand(withEnsembleFlags(canStop));
}

async function answer(text: string, flags: EnsembleFlags): Promise<void> {
  const id = positiveInteger(text);
  const states = await memberStates(flags);
  const reason = obstacle(id, states);
  if (reason !== null)
    throw new QuorateError('MEMBER_NEEDED', `Do not stop member ${id}: ${reason}.`, {
      fields: { member: id },
    });
  print(`Member ${id} may be stopped: the others are a quorum.\n`);
}

/** Why the member must not be stopped; null if it may. What it says itself counts if it serves; else what its leader says. */
function obstacle(id: number, states: readonly MemberState[]): string | null {
  const own = states.find((state) => state.id === id);
  if (own?.isServing === true) return own.unstoppable;
  const leader = states.find(
    ({ state, isServing, isConfirmed }) => state === 'leading' && isServing && isConfirmed,
  );
  if (leader === undefined)
    return 'no leader with a quorum answers, so it is unknown whether the others are a quorum';
  const isCounted = leader.learners.some(
    (each) => each.id === id && each.isVoter && !each.isRejoining && each.isUpToDate,
  );
  // A leader that serves has a quorum; the member takes part in it only if it counts.
  return isCounted ? 'it counts, but does not answer; give its address with --connect' : null;
}

import { printableLine } from '../../core/runtime/index.js';
import type { Diagnosis, FileDiagnosis, Treatment } from '../../core/server/index.js';

/** In plain words: what is there, what is wrong with it, what that means, and what to do. */
export function describeTreatment({ before, after, moved }: Treatment): string {
  const lines = [...describe(before)];
  if (after === null) lines.push('', ...adviceFor(before));
  else {
    lines.push('', 'Repaired.');
    for (const name of moved) lines.push(`  moved ${name}`);
    lines.push('', ...describe(after), '', ...outlookOf(after));
  }
  return `${lines.join('\n')}\n`;
}

function describe(diagnosis: Diagnosis): string[] {
  const {
    location,
    state,
    owner,
    ensemble,
    acceptedEpoch,
    rejoining,
    mayHold,
    firstZxid,
    lastZxid,
    files,
    damage,
    torn,
    mayBeLost,
  } = diagnosis;
  if (state === 'empty') return [`${location} is empty.`];
  const whose = owner === null || owner === '' ? '' : ` of ${printableLine(owner)}`;
  const lines = [
    `${location}: data directory${whose}`,
    `  ensemble        ${ensemble ?? 'unknown: these files name none'}`,
    `  promised epoch  ${acceptedEpoch ?? 'unknown'}`,
    `  history         ${lastZxid === '0x0' ? 'none' : `up to ${lastZxid}; the log begins at ${firstZxid}`}`,
  ];
  if (rejoining !== null) lines.push(`  rejoining       ${REJOINING[rejoining]}`);
  lines.push(...files.map(describeFile));
  for (const { file, offset, reason } of damage) {
    lines.push(
      `  DAMAGED ${printableLine(file)}${offset === null ? '' : ` at byte ${offset}`}: ${printableLine(reason)}`,
    );
  }
  if (torn !== null && torn.bytes > 0) {
    lines.push(
      `  ${torn.file}: the ${torn.bytes} bytes behind byte ${torn.offset} are no whole record, as after a crash during a write`,
    );
  }
  if (mayHold !== null) {
    lines.push(
      `  Entries behind ${lastZxid}, up to ${mayHold} at most, are gone; it is unknown whether this member acknowledged them.`,
    );
  }
  if (mayBeLost !== null) lines.push(...describeLoss(mayBeLost));
  return lines;
}

const REJOINING = {
  new: 'it was empty, or of an observer; a voter has no vote on it until the other members have admitted it',
  damaged: 'a part may be lost; the member has no vote until the other members have admitted it again',
  diverged: "its state differed from a quorum's; a snapshot of the leader has to replace it",
  founding: 'no; the member has a vote, but the founding of its ensemble may not be complete',
} as const;

function describeFile({ name, kind, bytes, records, upTo, isSound }: FileDiagnosis): string {
  const holds =
    kind === 'snapshot'
      ? `the tree at ${upTo}`
      : `${records} ${records === 1 ? 'record' : 'records'} up to ${upTo}`;
  const note = isSound ? '' : kind === 'snapshot' ? ', damaged' : ', then damaged';
  return `  ${name}  ${bytes} bytes, ${holds}${note}`;
}

function describeLoss({ behind, atLeastUpTo, promises }: NonNullable<Diagnosis['mayBeLost']>): string[] {
  const range =
    atLeastUpTo === null ? `behind ${behind}` : `behind ${behind}, up to ${atLeastUpTo} at least,`;
  const lines = [`  What this member held ${range} may be lost; it may have acknowledged it.`];
  if (promises) lines.push('  The epoch that it promised is lost.');
  return lines;
}

const ADVICE = {
  empty: ['Nothing is damaged: a member can start on it.'],
  sound: ['All files verify.'],
  torn: ['All records before that verify. The next start cuts off the rest.'],
} as const;

function adviceFor({ state, canStart, location, lastZxid, mayBeLost }: Diagnosis): readonly string[] {
  if (state !== 'damaged') return ADVICE[state];
  const command = `  quorate doctor --repair ${quoted(location)}`;
  if (mayBeLost === null) {
    const start = canStart ? 'The member can start as it is.' : 'The member cannot start as it is.';
    return [
      `The sound files hold everything up to ${lastZxid}, and nothing here shows more. ${start}`,
      'To move what is damaged aside:',
      command,
    ];
  }
  return [
    'If this is a member of an ensemble, most of whose members are sound:',
    command,
    'moves what is damaged aside and keeps the rest. Then start the member: it has no vote until the other members have',
    'given it back what it may have lost.',
    'If it stands alone, and there is no backup to restore: with --alone as well, it begins with what is left, and what',
    'is missing is lost for good.',
  ];
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function outlookOf({ canStart, rejoining, mayBeLost }: Diagnosis): string[] {
  if (!canStart || mayBeLost !== null)
    return ['It is still damaged: restore a backup, or let the member start with an empty directory.'];
  return rejoining === null || rejoining === 'founding'
    ? ['The member can start.']
    : [
        'The member can start; it has no vote until the other members of its ensemble have admitted it again.',
      ];
}

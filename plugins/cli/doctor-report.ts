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
    acceptedEpoch,
    rejoining,
    firstZxid,
    lastZxid,
    files,
    damage,
    torn,
    mayBeLost,
  } = diagnosis;
  if (state === 'empty') return [`${location} is empty.`];
  const whose = owner === null || owner === '' ? '' : ` of ${owner}`;
  const lines = [
    `${location}: data directory${whose}`,
    `  promised epoch  ${acceptedEpoch ?? 'unknown'}`,
    `  history         ${lastZxid === '0x0' ? 'none' : `up to ${lastZxid}; the log begins at ${firstZxid}`}`,
  ];
  if (rejoining !== null) lines.push(`  rejoining       ${REJOINING[rejoining]}`);
  lines.push(...files.map(describeFile));
  for (const { file, offset, reason } of damage) {
    lines.push(`  DAMAGED ${file}${offset === null ? '' : ` at byte ${offset}`}: ${reason}`);
  }
  if (torn !== null) {
    lines.push(
      `  ${torn.file} ends in ${torn.bytes} bytes that a crash cut short at byte ${torn.offset}; they were never acknowledged`,
    );
  }
  if (mayBeLost !== null) lines.push(...describeLoss(mayBeLost));
  return lines;
}

const REJOINING = {
  new: 'it was empty; the member has no vote until the others have taken it back',
  damaged: 'a part was lost; the member has no vote until the others have taken it back',
  diverged: "its state differed from a quorum's; a snapshot of the leader has to replace it",
} as const;

function describeFile({ name, kind, bytes, records, upTo, isSound }: FileDiagnosis): string {
  const holds =
    kind === 'snapshot'
      ? `the tree at ${upTo}`
      : `${records} ${records === 1 ? 'record' : 'records'} up to ${upTo}`;
  return `  ${name}  ${bytes} bytes, ${holds}${isSound ? '' : ', then damaged'}`;
}

function describeLoss({ behind, atLeastUpTo, promises }: NonNullable<Diagnosis['mayBeLost']>): string[] {
  const range =
    atLeastUpTo === null ? `behind ${behind}` : `behind ${behind}, up to ${atLeastUpTo} at least,`;
  const lines = [`  What this member held ${range} may be lost; it may have acknowledged it.`];
  if (promises) lines.push('  So is the epoch that it promised.');
  return lines;
}

const ADVICE = {
  empty: ['Nothing is damaged: a member can start on it.'],
  sound: ['Everything verifies.'],
  torn: ['Everything that was acknowledged verifies. The next start cuts off the rest.'],
} as const;

function adviceFor({ state, canStart, location, mayBeLost }: Diagnosis): readonly string[] {
  if (state !== 'damaged') return ADVICE[state];
  const command = `  quorate doctor --repair ${quoted(location)}`;
  if (canStart && mayBeLost === null) {
    return [
      'Nothing that the member needs is damaged, and it can start. To move what is damaged aside:',
      command,
    ];
  }
  return [
    'If this is a member of an ensemble, most of whose members are sound:',
    command,
    'moves what is damaged aside and keeps the rest. Then start the member: it has no vote until the others have given',
    'it back what it lost.',
    'If it stands alone, and there is no backup to restore: with --alone as well, it begins with what is left, and what',
    'is lost is lost for good.',
  ];
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function outlookOf({ canStart, rejoining, mayBeLost }: Diagnosis): string[] {
  if (!canStart || mayBeLost !== null)
    return ['It is still damaged: restore a backup, or let the member begin with an empty directory.'];
  return rejoining === null
    ? ['The member can start.']
    : ['The member can start; it has no vote until the others of its ensemble have taken it back.'];
}

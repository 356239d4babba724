import { readdirSync, readFileSync } from 'node:fs';
import { fullVersion } from './version.js';
import { decimal, modeOf, type WordContext } from './word-context.js';

/** `mntr`: what monitors read, a name and a value on each line. */
export function mntr(context: WordContext): string {
  const keys = { ...ofServer(context), ...ofLeader(context) };
  return Object.entries(keys)
    .map(([key, value]) => `zk_${key}\t${value}\n`)
    .join('');
}

function ofServer(context: WordContext): Readonly<Record<string, string | number>> {
  const { inspection, health, host } = context;
  const of = inspection.figures();
  const mode = modeOf(context);
  const { open, limit } = descriptors();
  return {
    version: fullVersion(),
    server_state: mode,
    ...(health.ensemble === null ? {} : { ensemble_id: health.ensemble }),
    ...(host.ensemble.length === 0 ? {} : { peer_state: `${health.state} - ${health.phase}` }),
    avg_latency: decimal(of.latency.avgMs),
    max_latency: Math.floor(of.latency.maxMs),
    min_latency: Math.floor(of.latency.minMs),
    packets_received: of.received,
    packets_sent: of.sent,
    num_alive_connections: of.connections,
    outstanding_requests: of.outstanding,
    znode_count: of.znodes,
    watch_count: of.watches,
    ephemerals_count: of.ephemerals,
    approximate_data_size: of.treeBytes,
    max_data_size: of.maxDataBytes ?? -1,
    refused_growth: of.refusedGrowth,
    open_file_descriptor_count: open,
    max_file_descriptor_count: limit,
    uptime: Math.floor(of.uptimeMs),
    global_sessions: of.sessions,
    local_sessions: 0,
    last_client_response_size: of.replyBytes.last,
    max_client_response_size: of.replyBytes.max,
    min_client_response_size: of.replyBytes.min,
    refused_reads: of.refused.reads,
    refused_watches: of.refused.watches,
    watch_size: of.watchBytes,
    waiting_output_size: of.waitingOutputBytes,
    ...(host.ensemble.length === 0 ? {} : { quorum_size: quorumSize(context) }),
    last_backup_age: backupAge(context),
    process_resident_memory_bytes: process.memoryUsage.rss(),
  };
}

/** -1 before the first one, and of a member that takes none by itself. */
function backupAge({ host }: WordContext): number {
  return Math.floor(host.health().backup?.ageMs ?? -1);
}

function ofLeader(context: WordContext): Readonly<Record<string, string | number>> {
  const { inspection, health } = context;
  if (modeOf(context) !== 'leader') return {};
  const { proposalBytes, pendingSyncs, leadingMs } = inspection.figures();
  const upToDate = health.learners.filter(({ isUpToDate }) => isUpToDate);
  const followers = upToDate.filter(({ isVoter }) => isVoter).length;
  return {
    learners: health.learners.length,
    followers: health.learners.filter(({ isVoter }) => isVoter).length,
    synced_followers: followers,
    synced_non_voting_followers: 0,
    synced_observers: upToDate.length - followers,
    pending_syncs: pendingSyncs,
    leader_uptime: Math.floor(leadingMs ?? 0),
    last_proposal_size: proposalBytes?.last ?? -1,
    max_proposal_size: proposalBytes?.max ?? -1,
    min_proposal_size: proposalBytes?.min ?? -1,
  };
}

/** How many members with a vote there are. */
function quorumSize({ host }: WordContext): number {
  return host.ensemble.filter(({ isObserver }) => isObserver !== true).length;
}

/** -1 where the system does not tell. */
function descriptors(): { readonly open: number; readonly limit: number } {
  try {
    const limits = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return { open: readdirSync('/proc/self/fd').length, limit: Number(limits?.[1] ?? -1) };
  } catch {
    return { open: -1, limit: -1 };
  }
}

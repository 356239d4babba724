import type { CampaignResult } from './campaign.js';

/** One line: how many inputs of each kind were tried, and what went on beside them. */
export function summaryOf({ rounds, tally, operations }: CampaignResult): string {
  const kinds = [...tally]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`);
  const total = [...tally.values()].reduce((sum, count) => sum + count, 0);
  return `${total} inputs in ${rounds} rounds: ${kinds.join(', ')}; ${operations} right answers to the good client`;
}

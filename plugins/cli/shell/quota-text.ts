/**
 * What ZooKeeper keeps in the znodes below `/zookeeper/quota`: `count=2,bytes=-1`, and behind `=;` the hard limits. -1
 * means unlimited. The odd equals sign is there for parsers that know nothing of hard limits.
 */
export interface Quota {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

export const UNLIMITED: Quota = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 };

export function formatQuota({ count, bytes, countHardLimit, byteHardLimit }: Quota): string {
  return `count=${count},bytes=${bytes}=;byteHardLimit=${byteHardLimit};countHardLimit=${countHardLimit}`;
}

/** What is not there, or no number, is unlimited. */
export function parseQuota(text: string): Quota {
  const found: Record<string, number> = {};
  for (const [, key, value] of text.matchAll(/(\w+)=(-?\d+)/g)) found[key!] = Number(value);
  const valueOf = (key: keyof Quota): number => found[key] ?? UNLIMITED[key];
  return {
    count: valueOf('count'),
    bytes: valueOf('bytes'),
    countHardLimit: valueOf('countHardLimit'),
    byteHardLimit: valueOf('byteHardLimit'),
  };
}

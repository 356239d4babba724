import { fileURLToPath } from 'node:url';

/** Among the sources, where pages are. */
export const RESULTS = fileURLToPath(new URL('../../../test/bench/RESULTS.md', import.meta.url));

/** Every section of the page, in its order. */
export const SECTIONS = [
  'compare',
  'failover',
  'fairness',
  'footprint',
  'transport',
  'tls',
  'transactions',
  'recipes',
  'queue',
  'scale',
  'watches',
  'pause',
  'simulator',
  'soak',
];

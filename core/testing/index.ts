/** A whole ensemble in one process, on virtual clock, network and disk. */
export { SeededRandom } from '../runtime/index.js';
export { MemoryDisk, type CrashLoss, type DiskFault, type DiskOperation } from '../storage/index.js';
export { FaultyLine } from './faulty-line.js';
export type { RequestPattern, SeenRequest } from './request-pattern.js';
export { Cluster, type ClusterClient, type ClusterClientOptions, type ClusterOptions } from './cluster.js';
export type { ClusterMember } from './cluster-member.js';
export { SimulatedHost, SimulatedNetwork, type LineQuality } from './simulated-network.js';
export { SimulatedProcess, type ProcessClockOptions } from './simulated-process.js';
export { TestEnsemble, type TestClientOptions, type TestEnsembleOptions } from './test-ensemble.js';
export { Trace } from './trace.js';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.js';

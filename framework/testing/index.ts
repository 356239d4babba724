/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** For the tests of applications: a fleet in the process of the test, on virtual time, and what it is made of. */
export { TestFleet, type TestFleetOptions } from './test-fleet.js';
export { TestApplication, type TestApplicationOptions, type TestLogEntry } from './test-application.js';
export { TestTimeoutError, type WaitOptions } from './test-time.js';
export {
  Cluster,
  FaultyLine,
  MemoryDisk,
  SeededRandom,
  SimulatedHost,
  SimulatedNetwork,
  SimulatedProcess,
  TestEnsemble,
  Trace,
  VirtualClock,
  type ClusterClient,
  type ClusterClientOptions,
  type ClusterMember,
  type ClusterOptions,
  type CrashLoss,
  type DiskFault,
  type DiskOperation,
  type LineQuality,
  type ProcessClockOptions,
  type RequestPattern,
  type SeenRequest,
  type TestClientOptions,
  type TestEnsembleOptions,
  type VirtualClockOptions,
} from '../../core/testing/index.js';

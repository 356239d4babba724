/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** The shell around the pure rooms: one member of an ensemble. */
export { Member, type MemberParts } from './member.js';
export type { MemberGauges, MemberHoldings, MemberProbe } from './member-probe.js';
export { type EnsembleMember } from './ensemble.js';
export { publishedMembers } from './published-configuration.js';
export { Embedded, type EmbeddedOptions } from './embedded.js';
export { DEFAULT_PORT, serve, type Served, type ServeOptions } from './serve.js';
export type { ClientListener, ListenerHost } from './client-listener.js';
export type { ConnectionFigures, Inspection, MemberFigures } from './inspection/inspection.js';
export type { LatencyFigures } from './inspection/traffic.js';
export type { MemberHealth } from './health.js';
export { ConfigurationError, resolveServerOptions, type ServerOptions } from './server-options.js';
export {
  initializeDataDirectory,
  treatDataDirectory,
  type Diagnosis,
  type DoctorOptions,
  type FileDiagnosis,
  type Treatment,
} from './doctor.js';

/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** The shell around the pure rooms: one member of an ensemble. */
export { Member, type MemberParts } from './member/member.js';
export type { MemberGauges, MemberHoldings, MemberProbe } from './metrics/member-probe.js';
export { type EnsembleMember } from './configuration/ensemble.js';
export { publishedMembers } from './configuration/published-configuration.js';
export { Embedded, type EmbeddedOptions } from './process/embedded.js';
export { identitiesOfCertificate } from './clients/authentication.js';
export { DEFAULT_PORT, serve, type Served, type ServeOptions } from './process/serve.js';
export type { ClientListener, ListenerHost } from './process/client-listener.js';
export type { ConnectionFigures, Inspection, MemberFigures } from './member/inspection.js';
export type { LatencyFigures } from './metrics/traffic.js';
export type { MemberHealth } from './member/health.js';
export {
  ConfigurationError,
  resolveServerOptions,
  type ServerOptions,
} from './configuration/server-options.js';
export {
  initializeDataDirectory,
  treatDataDirectory,
  type Diagnosis,
  type DoctorOptions,
  type FileDiagnosis,
  type Treatment,
} from './process/doctor.js';

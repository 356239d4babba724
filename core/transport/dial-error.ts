import { QuorateError } from '../runtime/index.js';
import { failureText } from './failure-text.js';

/** Why TLS failed; field `reason` of a `QuorateError` of code `TLS_FAILED`. */
export type TlsFailureReason =
  | 'server-without-tls'
  | 'server-with-tls'
  | 'untrusted'
  | 'expired'
  | 'wrong-name'
  | 'certificate-refused'
  | 'version'
  | 'unusable'
  | 'handshake-ended';

interface TlsFailure {
  readonly reason: TlsFailureReason;
  /** What happened and what to do, behind "Cannot connect to …: ". */
  readonly text: string;
}

/** What an error of `node:tls`, `node:http` or ws says, as far as it is known. */
interface CauseFacts {
  readonly code: string;
  readonly text: string;
  /** Of the server's certificate, such as `DNS:a.example, IP Address:10.0.0.1`. */
  readonly names: string;
  /** The name that was expected. */
  readonly host: string;
}

/** Replies of TLS servers to bytes that are no TLS: an alert of level "fatal" as the first record. */
export const TLS_ALERT_TYPE = 0x15;
/** The first byte of every TLS connection. */
export const TLS_HANDSHAKE_TYPE = 0x16;
export const SERVER_WITH_TLS =
  'the server accepts only TLS at this port. Connect with wss:// (zks:// at the ZooKeeper port)';

/** What a port of ZooKeeper's protocol answers to a request of HTTP. */
export const MISDIRECTED_STATUS = '421 Misdirected Request';
export const SERVER_WITH_HTTP =
  'the server speaks HTTP and WebSocket at this port. Connect with ws:// or wss://';

const UNTRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA|CERT_CHAIN_TOO_LONG)/;
const REFUSED_BY_SERVER =
  /alert (?:bad certificate|unsupported certificate|certificate (?:revoked|expired|unknown|required)|unknown ca|access denied)|handshake failure/i;

/**
 * The error of a dialer for an attempt that failed: code `TLS_FAILED`, with what to do, if the two ends do not agree on TLS or on
 * the certificates, and `CONNECT_FAILED` otherwise.
 */
export function dialError(address: string, cause: unknown): QuorateError {
  const failure = tlsFailureOf(cause);
  const text = `Cannot connect to ${address}: ${failure?.text ?? otherProtocol(address, cause) ?? failureText(cause)}.`;
  if (failure === null) return new QuorateError('CONNECT_FAILED', text, { fields: { address }, cause });
  return new QuorateError('TLS_FAILED', text, { fields: { address, reason: failure.reason }, cause });
}

/** What a server that speaks another protocol at this port means; null if nothing shows that it does. */
function otherProtocol(address: string, cause: unknown): string | null {
  if (!(cause instanceof Error) || !/^wss?:/.test(address)) return null;
  if (/Unexpected server response: 421/.test(cause.message))
    return "the server speaks ZooKeeper's protocol at this port. Connect with zk:// (zks:// with TLS)";
  if (cause.message !== 'socket hang up') return null;
  return "the server closed the connection without an answer. If this is a port of ZooKeeper's protocol, connect with zk://";
}

/** What a TLS server says against the certificate of this client once the connection is open; null for any other error. */
export function certificateRefusal(cause: unknown): string | null {
  const failure = tlsFailureOf(cause);
  return failure?.reason === 'certificate-refused' ? failure.text : null;
}

function tlsFailureOf(cause: unknown): TlsFailure | null {
  if (cause instanceof AggregateError) {
    for (const each of cause.errors) {
      const failure = tlsFailureOf(each);
      if (failure !== null) return failure;
    }
    return null;
  }
  if (!(cause instanceof Error)) return null;
  const { code, cert, host } = cause as {
    readonly code?: unknown;
    readonly cert?: { readonly subjectaltname?: string };
    readonly host?: string;
  };
  const facts = {
    code: typeof code === 'string' ? code : '',
    text: cause.message,
    names: cert?.subjectaltname ?? 'none',
    host: host ?? 'the host',
  };
  return certificateFailure(facts) ?? handshakeFailure(facts);
}

/** The certificate of the server is not accepted here. */
function certificateFailure({ code, text, names, host }: CauseFacts): TlsFailure | null {
  if (code === 'CERT_HAS_EXPIRED')
    return {
      reason: 'expired',
      text: "the server's certificate has expired. Renew it, or correct the clock of this machine",
    };
  if (code === 'CERT_NOT_YET_VALID')
    return {
      reason: 'expired',
      text: "the server's certificate is not valid yet. Correct the clock of this machine or of the issuer",
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      reason: 'wrong-name',
      text:
        `${host} is not among the names of the server's certificate (${names}). Connect by one of these names, issue a certificate ` +
        'for this host (subjectAltName), or give the expected name as tls.serverName (--tls-server-name)',
    };
  if (UNTRUSTED.test(code))
    return {
      reason: 'untrusted',
      text:
        `the server's certificate is not signed by an authority that this client trusts (${text}). Give the certificate of that ` +
        'authority as tls.ca (--tls-ca, QUORATE_TLS_CA)',
    };
  return null;
}

function handshakeFailure({ code, text }: CauseFacts): TlsFailure | null {
  if (/Unexpected server response: 426/.test(text))
    return { reason: 'server-with-tls', text: SERVER_WITH_TLS };
  if (/wrong.version.number|packet length too long|http request/i.test(`${code} ${text}`))
    return {
      reason: 'server-without-tls',
      text: 'the server does not speak TLS at this port. Connect with ws:// (zk://), or start the server with --tls-cert and --tls-key',
    };
  if (/before secure TLS connection was established/.test(text))
    return {
      reason: 'handshake-ended',
      text: 'the server closed the connection during the TLS handshake. Check that it speaks TLS at this port',
    };
  if (REFUSED_BY_SERVER.test(text) || /Unexpected server response: 49[56]/.test(text))
    return {
      reason: 'certificate-refused',
      text:
        `the server refused the certificate of this client, or requires one (${alertIn(text)}). Give a valid one, signed by an ` +
        'authority that the server has in its --tls-ca, as tls.cert and tls.key (--tls-cert and --tls-key)',
    };
  if (/alert protocol version|unsupported protocol/i.test(text))
    return {
      reason: 'version',
      text: 'the server speaks no version of TLS that is accepted here (1.2 or 1.3). Upgrade or configure the server',
    };
  if (/^ERR_OSSL_|^ERR_CRYPTO_/.test(code))
    return {
      reason: 'unusable',
      text: `the TLS options cannot be used (${text}). Give certificates and keys as PEM, and the key that belongs to the certificate`,
    };
  return null;
}

/** The part of OpenSSL's message that a reader understands. */
function alertIn(text: string): string {
  return /alert [a-z ]+|handshake failure/i.exec(text)?.[0].trim() ?? text;
}

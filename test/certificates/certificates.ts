import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certify, type CertificateRequest, type DistinguishedName } from './x509.js';

export interface Certified {
  /** PEM, and the paths of the files that hold it. */
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

interface Authority extends Certified {
  readonly issuer: { readonly subject: DistinguishedName; readonly key: KeyObject };
}

/**
 * An authority, a server at 127.0.0.1 and localhost, the same expired, one with another name, a client `CN=client,O=Quorate`, and a
 * stranger whom another authority has signed.
 */
export class Certificates implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-certificates-'));
  readonly ca = this.#authority('ca');
  readonly server = this.#signed('server', this.ca, {
    subject: [['CN', 'server']],
    at: { ipv4: '127.0.0.1', dns: 'localhost' },
  });
  readonly expired = this.#signed('expired', this.ca, {
    subject: [['CN', 'server']],
    at: { ipv4: '127.0.0.1', dns: 'localhost' },
    endsInMs: -60_000,
  });
  readonly elsewhere = this.#signed('elsewhere', this.ca, {
    subject: [['CN', 'server']],
    at: { dns: 'elsewhere.example' },
  });
  readonly client = this.#signed('client', this.ca, {
    subject: [
      ['O', 'Quorate'],
      ['CN', 'client'],
    ],
  });
  readonly otherCa = this.#authority('other-ca');
  readonly stranger = this.#signed('stranger', this.otherCa, { subject: [['CN', 'stranger']] });

  /** Another certificate for the same server, with a key of its own; not written over the first. */
  renewed(name: string): Certified {
    return this.#signed(name, this.ca, {
      subject: [['CN', name]],
      at: { ipv4: '127.0.0.1', dns: 'localhost' },
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #authority(name: string): Authority {
    const key = newKey();
    const subject: DistinguishedName = [['CN', name]];
    const certified = this.#write(name, certify({ subject, key, isAuthority: true }), key);
    return { ...certified, issuer: { subject, key } };
  }

  #signed(
    name: string,
    { issuer }: Authority,
    request: Pick<CertificateRequest, 'subject' | 'at' | 'endsInMs'>,
  ): Certified {
    const key = newKey();
    return this.#write(name, certify({ ...request, key, issuer }), key);
  }

  #write(name: string, cert: string, privateKey: KeyObject): Certified {
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const [certFile, keyFile] = [join(this.#directory, `${name}.pem`), join(this.#directory, `${name}.key`)];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    return { certFile, keyFile, cert, key };
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A certificate and its key, without their files: what options take. */
export function pemOf({ cert, key }: { readonly cert: string; readonly key: string }): {
  readonly cert: string;
  readonly key: string;
} {
  return { cert, key };
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certified {
  /** PEM, and the paths of the files that hold it. */
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority, a server at 127.0.0.1 and localhost, a client `CN=client,O=Quorate`, and a stranger whom another authority has signed. */
export class Certificates implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-certificates-'));
  readonly ca = this.#authority('ca');
  readonly server = this.#signed('server', 'ca', '/CN=server', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  readonly client = this.#signed('client', 'ca', '/O=Quorate/CN=client');
  readonly otherCa = this.#authority('other-ca');
  readonly stranger = this.#signed('stranger', 'other-ca', '/CN=stranger');

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #authority(name: string): Certified {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', this.#path(name, 'key'), '-out', this.#path(name, 'pem')];
    this.#openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, ...files);
    return this.#certified(name);
  }

  #signed(
    name: string,
    authority: string,
    subject: string,
    extension = 'keyUsage=digitalSignature',
  ): Certified {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const request = this.#path(name, 'csr');
    this.#openssl('req', ...key, '-subj', subject, '-keyout', this.#path(name, 'key'), '-out', request);
    writeFileSync(this.#path(name, 'ext'), extension);
    const by = [
      '-CA',
      this.#path(authority, 'pem'),
      '-CAkey',
      this.#path(authority, 'key'),
      '-CAcreateserial',
    ];
    const extensions = ['-extfile', this.#path(name, 'ext'), '-days', '2'];
    this.#openssl('x509', '-req', '-in', request, ...by, ...extensions, '-out', this.#path(name, 'pem'));
    return this.#certified(name);
  }

  #certified(name: string): Certified {
    const [certFile, keyFile] = [this.#path(name, 'pem'), this.#path(name, 'key')];
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  #path(name: string, ending: string): string {
    return join(this.#directory, `${name}.${ending}`);
  }

  #openssl(...words: readonly string[]): void {
    execFileSync('openssl', words, { stdio: 'pipe' });
  }
}

import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { subjectOf } from '../../../../core/server/clients/x509-subject.js';

/** Self-signed by openssl, valid for a hundred years, with what `X500Principal.getName()` of Java returns for them. */
const CERTIFICATES: readonly (readonly [pem: string, subject: string])[] = [
  [
    `-----BEGIN CERTIFICATE-----
MIICWTCCAf+gAwIBAgIULBxQVY8JNHsX2pfGC+DMJJ5VvoUwCgYIKoZIzj0EAwIw
gYAxCzAJBgNVBAYTAkRFMRAwDgYDVQQIDAdCYXZhcmlhMQ8wDQYDVQQHDAZNdW5p
Y2gxEzARBgNVBAoMCkFjbWUsIEluYy4xHTALBgNVBAsMBFNob3AwDgYDVQQDDAdh
PWIgPHg+MRowGAYJKoZIhvcNAQkBFgthQGIuZXhhbXBsZTAgFw0yNjExMzAxMTA2
MjdaGA8yMTI2MTEwNjExMDYyN1owgYAxCzAJBgNVBAYTAkRFMRAwDgYDVQQIDAdC
YXZhcmlhMQ8wDQYDVQQHDAZNdW5pY2gxEzARBgNVBAoMCkFjbWUsIEluYy4xHTAL
BgNVBAsMBFNob3AwDgYDVQQDDAdhPWIgPHg+MRowGAYJKoZIhvcNAQkBFgthQGIu
ZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFqZBOi7+h94/d1Fo0sr
9YcMUZtdpSXj0oQdpwFyimI5tph+9QqRzOA8whAe9q9R4FFPzp+l5gGpv3QbBYQY
tBujUzBRMB0GA1UdDgQWBBRiKJJOFwF2KqXZpldQuyezkU5H/jAfBgNVHSMEGDAW
gBRiKJJOFwF2KqXZpldQuyezkU5H/jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIB2uXa2M7+A7hjGXoriL9gcpj9N24Bb4xMrjQvjkMEwtAiEApbBA
I2kqN36xZSi1+Zzzi+PQecpc/ZpnshLNwJA3/dA=
-----END CERTIFICATE-----`,
    String.raw`1.2.840.113549.1.9.1=#160b6140622e6578616d706c65,OU=Shop+CN=a\=b \<x\>,O=Acme\, Inc.,L=Munich,ST=Bavaria,C=DE`,
  ],
  [
    `-----BEGIN CERTIFICATE-----
MIICQzCCAemgAwIBAgIUJajbOXdDitfp2CTgjkGxbw54sMMwCgYIKoZIzj0EAwIw
djEXMBUGCgmSJomT8ixkARkWB2V4YW1wbGUxFzAVBgoJkiaJk/IsZAEZFgdxdW9y
YXRlMRMwEQYKCZImiZPyLGQBAQwDYXBwMSEwHwYDVQQDDBggYmxhbmsgInEiIFxc
ICMxOyDDqeWvhiAxCjAIBgNVBAUTATcwIBcNMjYxMTMwMTEwNjI3WhgPMjEyNjEx
MDYxMTA2MjdaMHYxFzAVBgoJkiaJk/IsZAEZFgdleGFtcGxlMRcwFQYKCZImiZPy
LGQBGRYHcXVvcmF0ZTETMBEGCgmSJomT8ixkAQEMA2FwcDEhMB8GA1UEAwwYIGJs
YW5rICJxIiBcXCAjMTsgw6nlr4YgMQowCAYDVQQFEwE3MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEqyGDRDOjsA5RTKJDEqlFi+Qs/TP/ZigVjOqsESFmoVMvuKIf
v369qW2wk8KTZUNuowNgz7V92sOqfNpY1mzGRKNTMFEwHQYDVR0OBBYEFCu4X+1B
Hdw/FfzkFp2+0K263OhQMB8GA1UdIwQYMBaAFCu4X+1BHdw/FfzkFp2+0K263OhQ
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgdCKvoub/Sya7vmM3
TAyirRh/rmi2iFb7pAa1uXbboE4CIQDbVGvizCRD58c4p0FK6jBNTt2udtwjudp0
0ReAg85ueA==
-----END CERTIFICATE-----`,
    String.raw`2.5.4.5=#130137,CN=\ blank \"q\" \\\\ \#1\; é密\ ,UID=app,DC=quorate,DC=example`,
  ],
];

test('a subject is written as Java writes it, so that ACLs made for ZooKeeper name the same clients', () => {
  for (const [pem, subject] of CERTIFICATES) assert.is(subjectOf(new X509Certificate(pem)), subject);
});

test.run();

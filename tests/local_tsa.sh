#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A time stamping authority (RFC 3161) for tests: answers to one text, by openssl alone.
#
# usage: local_tsa.sh DIR TEXT_FILE     writes into DIR:
#   ca.pem other-ca.pem                 a root; one that signed nothing here
#   good.tsr                            over the text, by the root's TSA
#   other-text.tsr sha1.tsr             over another text; over the text's SHA-1
#   expired.tsr                         by a TSA whose certificate ended before it answered
#   no-certificate.tsr                  without the TSA's certificate
set -euo pipefail
text=$(readlink -f "$2")
cd "$1"

cat >tsa.cnf <<'CNF'
[ca]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
[tsa_certificate]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = tsa_serial
signer_digest = sha256
default_policy = 1.3.6.1.4.1.55555.1
digests = sha1, sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
CNF
: >index.txt
echo 1000 >serial
echo 01 >tsa_serial

root() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$2" \
    -addext keyUsage=critical,keyCertSign -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
# certificate NAME START END
certificate() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl ca -batch -notext -config tsa.cnf -name ca -cert ca.pem -keyfile ca.key -extensions tsa_certificate \
    -startdate "$2" -enddate "$3" -in "$1.csr" -out "$1.pem" 2>/dev/null
}
# token NAME SIGNER TEXT [more options of the query]
token() {
  openssl ts -query -data "$3" -no_nonce -cert "${@:4}" -out query 2>/dev/null
  openssl ts -reply -config tsa.cnf -section tsa -queryfile query -signer "$2.pem" -inkey "$2.key" \
    -out "$1.tsr" 2>/dev/null
}

root ca "Test root"
root other-ca "Test root"
certificate tsa 20200101000000Z 20991231235959Z
certificate old-tsa 20200101000000Z 20200201000000Z
echo other >other-text

token good tsa "$text" -sha256
token other-text tsa other-text -sha256
token sha1 tsa "$text" -sha1
token expired old-tsa "$text" -sha256
openssl ts -query -data "$text" -no_nonce -sha256 -out query 2>/dev/null
openssl ts -reply -config tsa.cnf -section tsa -queryfile query -signer tsa.pem -inkey tsa.key -out no-certificate.tsr 2>/dev/null

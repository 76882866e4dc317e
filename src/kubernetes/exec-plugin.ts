/**
 * The exec plugin that kubeconfigs carry: POSIX `sh` and `curl`, nothing else, so every word that could be a
 * program of its own (`cat`, `sed`) is left out.
 *
 * It is one fixed text. The URL and the version come as arguments, so that nothing is ever quoted into a
 * script. The key goes to curl in a here-document, and never shows in a list of processes; it is held to the
 * letters that keys have, so it cannot end the quotes around it. `echo` is built into every sh, `printf` is
 * not, and what it prints holds no backslash: JSON of base64url.
 *
 * `curl -q` reads no ~/.curlrc, which could make it print more than the answer.
 */
export const EXEC_PLUGIN = String.raw`set -u
LC_ALL=C
fail() { printf 'postern: %s\n' "$1" >&2; exit 1; }

url=$1 version=$2
case "\${KUBERNETES_EXEC_INFO:-}" in
  *'"client.authentication.k8s.io/v1beta1"'*) version=v1beta1 ;;
  *'"client.authentication.k8s.io/v1"'*) version=v1 ;;
esac

key=\${POSTERN_API_KEY:-}
if [ -z "$key" ]; then
  file=\${POSTERN_API_KEY_FILE:-\${HOME:-}/.postern/key}
  [ -r "$file" ] || fail "no API key: set POSTERN_API_KEY, or put the key into $file"
  read -r key < "$file"
  [ -n "$key" ] || fail "no API key in $file"
fi
case "$key" in *[!A-Za-z0-9_]*) fail "the API key holds a character that no Postern key has" ;; esac

answer=$(curl -q --silent --show-error --max-time 30 --request POST \
  --write-out '\n%{http_code}' --config - "$url?apiVersion=$version" <<END
header = "x-api-key: $key"
END
) || fail "the gateway could not be asked"

status=\${answer##*[!0-9]}
body=\${answer%?"$status"}
if [ "$status" = 200 ]; then
  echo "$body"
  exit 0
fi
case "$body" in
  *'"detail":"'*) reason=\${body#*'"detail":"'}; reason=\${reason%%'"'*} ;;
  *) reason="the gateway answered $status" ;;
esac
fail "$reason"
`.replaceAll("\\${", "${");

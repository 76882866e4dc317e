// For the order of the modules in the bundle alone, which `npm run bundle:order` found by trying: gzip looks back no
// further than 32 KiB, and finds more of the same where modules that are alike lie side by side. 2 KiB of the upload
// hang on it.
import "./console/minified.ts";
import "./gateway/graphql/document-cache.ts";
import "./api/json-schema.ts";
import "./console/notice.ts";
import "./api/lines.ts";
import "./session/oidc.ts";
import "./account/last-used.ts";
import "./session/console-session.ts";
import "./keys/tag.ts";
import "./webhooks/signing-keys.ts";
import "./store/ended-sessions.ts";
import "./store/templates.ts";
import "./session/verify.ts";
import "./store/usage.ts";
import "./account/create-key.ts";
import "./gateway/graphql/permits.ts";
import "./kubernetes/namespace.ts";
import "./freshness/kinds.ts";
import "./console/keys/permission-values.ts";
import "./admin/routes/keys.ts";
import "./account/routes/namespaces.ts";
import "./console/origin.ts";
import "./journey/network.ts";
import "./admin/routes/namespaces.ts";
import "./console/keys/paths.ts";
import "./console/keys/rotate.tsx";
import "./console/keys/index.ts";
import "./console/usage/index.ts";
import "./console/admin/keys.tsx";
import "./console/admin/key.tsx";
import "./console/index.ts";

// Runs before `npm start` and its like, under whatever Node there is: what they need, `npm ci` installs, Node 24 too.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

if (!existsSync(join(__dirname, "..", "node_modules", ".bin", "node"))) {
  console.error("Nothing is installed yet: run npm ci first.");
  process.exit(1);
}

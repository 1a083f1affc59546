// Azurite's blob service, in this process, until standard input ends: as it does when whoever started it is gone,
// however that came about.
//
//   node serve.js <directory with node_modules> saved|lazy <options of azurite-blob>
//
// Azurite saves what it knows of blobs every five seconds: after SIGKILL, answered writes of these seconds are gone. A
// store may not forget them, so with 'saved' whoever ends it writes a line to standard input: what was answered is saved
// then, and it ends as SIGKILL ends it, with no further answer. (To save before every answer takes the longer the more
// blobs and blocks there are; a few minutes of load were more than it could bear.)
'use strict';

const fs = require('fs');
const path = require('path');

const [installation, mode] = process.argv.splice(2, 2);
const modules = path.join(installation, 'node_modules');
const databases = new Set();

process.stdin.on('end', () => {
  databases.forEach(save);
  process.exit(0);
});
process.stdin.on('error', () => process.exit(0));
process.stdin.on('data', () => {
  databases.forEach(save);
  process.kill(process.pid, 'SIGKILL');
});

if (mode === 'saved') {
  require(path.join(modules, 'lokijs')).prototype.autosaveEnable = function () {
    databases.add(this);
  };
}

require(path.join(modules, 'azurite', 'dist', 'src', 'blob', 'main.js'));

function save(database) {
  if (database.autosaveDirty()) {
    const written = `${database.filename}~`;
    fs.writeFileSync(written, database.serialize());
    fs.renameSync(written, database.filename);
  }
}

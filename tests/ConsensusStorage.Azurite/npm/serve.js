// Azurite's blob service, in this process, until standard input ends: as it does when whoever started it is gone,
// however that came about.
//
//   node serve.js <directory with node_modules> saved|lazy <options of azurite-blob>
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');

const [installation, mode] = process.argv.splice(2, 2);
const modules = path.join(installation, 'node_modules');

process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.stdin.resume();

if (mode === 'saved') {
  answerWhatIsSavedAlone();
}

require(path.join(modules, 'azurite', 'dist', 'src', 'blob', 'main.js'));

// Azurite saves what it knows of blobs every five seconds: after SIGKILL, answered writes of these seconds are gone. A
// store may not forget them. Saving is synchronous, so that nobody is told what may still be forgotten.
function answerWhatIsSavedAlone() {
  const databases = new Set();
  require(path.join(modules, 'lokijs')).prototype.autosaveEnable = function () {
    databases.add(this);
  };

  const end = http.ServerResponse.prototype.end;
  http.ServerResponse.prototype.end = function (...rest) {
    databases.forEach(save);
    return end.apply(this, rest);
  };
}

function save(database) {
  if (database.autosaveDirty()) {
    const written = `${database.filename}~`;
    fs.writeFileSync(written, database.serialize());
    fs.renameSync(written, database.filename);
    database.autosaveClearFlags();
  }
}

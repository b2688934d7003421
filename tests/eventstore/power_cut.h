// What a power cut leaves of the files that this process wrote: what was synced, no byte more.
// Linked into a program, it sees every fsync and fdatasync of it.
#pragma once

#include <string>

namespace stele::eventstore {

// What is there has survived the last cut. REQUIRES: nothing in the directory is open.
void CountAsSynced(const std::string& directory);

// Called before each sync that this process makes, by the thread that makes it.
void CallBeforeEachSync(void (*call)());

// Cuts every file of a database or backup below `directory` that this process has written to what
// it has synced. Names and renames count as synced. Other threads may go on writing: they cut
// themselves short.
void LoseWhatIsNotSynced(const std::string& directory);

}  // namespace stele::eventstore

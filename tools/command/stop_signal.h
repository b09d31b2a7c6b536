// Signals that ask the command to stop: Ctrl-C and the like.
#ifndef COMMAND_STOP_SIGNAL_H
#define COMMAND_STOP_SIGNAL_H

// From now on the first signal is only remembered, for work that can end well, and a later one ends
// the process. One that comes at once is the same: timeout(1) and some shells signal a process and
// then its group.
void stop_signal_catch(void);

// The signal that came; 0: none.
int stop_signal(void);

#endif

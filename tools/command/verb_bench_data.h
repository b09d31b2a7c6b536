// vkseq bench data: how fast text becomes batches.
#ifndef COMMAND_VERB_BENCH_DATA_H
#define COMMAND_VERB_BENCH_DATA_H

// Takes the options of vkseq train (argv[0] is the word before them), of which --model has to have
// a vocabulary. Returns the exit code.
int bench_data(int argc, char **argv);

#endif

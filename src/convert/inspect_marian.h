// What there is to know about Marian's models.
#ifndef CONVERT_INSPECT_MARIAN_H
#define CONVERT_INSPECT_MARIAN_H

#include "convert/inspection.h"
#include "io/marian_file.h"

// Facts and problems of a model's arrays and options. path: what messages call the file.
void inspect_marian_file(const struct marian_file *file, const char *path,
                         struct vks_inspection *inspection);

// The same of a folder with a model (marian_folder_is), and of its vocabularies.
void inspect_marian_folder(const char *dir, struct vks_inspection *inspection);

#endif

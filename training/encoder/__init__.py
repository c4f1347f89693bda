"""Recipe of `models/jinwen-static`: tokenizer, data, batches, training, evaluation, card."""
